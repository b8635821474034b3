/** Writes src/run/config/grammar.js and grammar.d.ts from grammar.peggy. */
export function generateGrammar(): void
