/** One target on a terminal: what was seen, then what was found. */
import type { Style } from '../journal/style.ts'
import {
  describeConnection,
  describeStaple,
  type Fact,
  factsOfCa,
  factsOfCertificate,
  factsOfFailures,
  factsOfTarget,
  isHelpful,
} from './facts.ts'
import { formatVersion } from './rates.ts'
import type { CertificateReport, TargetReport } from './shape.ts'
import { formatFinding } from './text-finding.ts'
import { drawStaple } from './text-staple.ts'
import { hang } from './wrap.ts'

export interface TextLook {
  readonly style: Style
  /** Columns. */
  readonly width: number
  /** Leave nothing out. */
  readonly isVerbose: boolean
}

/** Formats everything about a target but its verdict, after a blank line. */
export function formatTarget(target: TargetReport, look: TextLook): string[] {
  const findings = target.findings.map((each) => formatFinding(each, { ...look, server: target.server?.kind }))
  return [
    '',
    ...formatFacts(factsOfTarget(target), look),
    ...target.certificates.flatMap((each) => formatCertificate(each, target, look)),
    // Where nothing else was seen, they are the finding itself.
    ...(target.certificates.length === 0 ? [] : formatFacts(factsOfFailures(target), look)),
    ...(look.isVerbose ? ['', ...formatFacts(target.connections.map(factOfConnection), look)] : []),
    ...findings.flatMap((lines, index) => (isShort(lines) && isShort(findings[index - 1]) ? lines : ['', ...lines])),
  ]
}

function formatCertificate(certificate: CertificateReport, target: TargetReport, look: TextLook): string[] {
  const staples = certificate.staples.flatMap((staple) => [
    ...formatFacts([{ name: 'staple', text: describeStaple(staple, certificate.connections) }], look),
    ...drawStaple(staple, target.at, isHelpful(staple, certificate), look.style).map(
      (line) => `${' '.repeat(column)}${line}`,
    ),
  ])
  return [
    '',
    ...formatFacts(factsOfCertificate(certificate, target), look),
    ...staples,
    ...formatFacts(factsOfCa(certificate), look),
  ]
}

/** Names on the left, each once where the same follows itself. */
function formatFacts(facts: readonly Fact[], { style, width }: TextLook): string[] {
  return facts.flatMap(({ name, text }, index) => {
    const head = facts[index - 1]?.name === name ? '' : name
    const [first = '', ...rest] = hang(head.padEnd(column), text, width)
    return [`${style.dim(first.slice(0, column))}${first.slice(column)}`, ...rest]
  })
}

function factOfConnection(connection: TargetReport['connections'][number]): Fact {
  const { number, address, version, keyFamilies } = connection
  const offered = `${address} ${formatVersion(version)} ${keyFamilies.join('+')}`
  return { name: 'connections', text: `${number} ${offered}: ${describeConnection(connection)}` }
}

function isShort(lines: readonly string[] | undefined): boolean {
  return lines?.length === 1
}

const column = 13
