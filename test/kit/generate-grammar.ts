/** Before any test: the parser of configurations, which git ignores, is made from its grammar. */
import { generateGrammar } from '../../tools/grammar.mjs'

export default function setup(): void {
  generateGrammar()
}
