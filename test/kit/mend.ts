/**
 * Does what a remedy says, as a person would who pastes its lines: into nginx's server block, or outside of Apache's
 * virtual hosts. The example paths in them become the test's own.
 */
import type { Remedy, ServerKind } from '../../src/check/diagnose/finding.ts'
import type { Examination } from '../../src/check/examine.ts'
import { runCommand } from './io.ts'

/** What stands in the remedies, and what is there in the test. */
export type Places = Readonly<Record<string, string>>

/** The first remedy for that server, or for everybody, of the finding with that code. @throws naming what was found */
export function remedyOf({ findings }: Examination, code: string, server?: ServerKind): Remedy {
  const finding = findings.find((each) => each.code === code)
  const remedy = finding?.remedies.find((each) => each.server === server && each.lines !== undefined)
  if (remedy) return remedy
  throw new Error(`no lines for ${server} under ${code}, of ${JSON.stringify(findings, undefined, 2)}`)
}

/** The lines with the test's own places in them. */
export function linesOf({ lines = [] }: Remedy, places: Places): readonly string[] {
  return lines.map((line) => placed(line, places))
}

/** Puts directives into the first server block; one that is there already is replaced. */
export function mendNginx(blocks: string, lines: readonly string[]): string {
  return lines.reduce((text, line) => {
    const rest = without(text, line, ';')
    return rest.replace(/server \{\n/, (begin) => `${begin}  ${line}\n`)
  }, blocks)
}

/** Puts directives outside of every virtual host; one that is there already, wherever, is replaced. */
export function mendApache(sections: string, lines: readonly string[]): string {
  return lines.reduceRight(
    (text, line) => (line.startsWith('#') ? text : `${line}\n${without(text, line, '')}`),
    sections,
  )
}

/** Runs the `staplewright fetch … --out …` that stands in a remedy's lines or text. */
export async function runFetch(remedy: Remedy, places: Places): Promise<void> {
  const text = [...(remedy.lines ?? []), remedy.text].join('\n')
  const [, command] = /staplewright (fetch [^`\n]*? --out [^\s`]+)/.exec(text) ?? []
  if (command === undefined) throw new Error(`no staplewright fetch in: ${text}`)
  const { code, stderr } = await runCommand(placed(command, places).split(' '))
  if (code !== 0) throw new Error(`staplewright ${command}: exit code ${code}\n${stderr}`)
}

function placed(text: string, places: Places): string {
  return Object.entries(places).reduce((all, [place, own]) => all.replaceAll(place, own), text)
}

/** Without the lines that set the same directive. */
function without(text: string, line: string, end: string): string {
  const [directive = ''] = line.split(/[\s;]/)
  return text
    .split('\n')
    .filter((each) => !(each.trimStart().startsWith(`${directive} `) && each.trimEnd().endsWith(end)))
    .join('\n')
}
