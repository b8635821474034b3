export declare function nodeVersions(): readonly { readonly major: number; readonly program: string }[]
