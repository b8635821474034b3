export declare const debianPackages: readonly {
  readonly name: string
  readonly provides: readonly string[]
  readonly jobs: readonly ('test' | 'bench')[]
  readonly why: string
}[]
