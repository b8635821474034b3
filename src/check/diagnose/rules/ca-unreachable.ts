/** The CA could not be asked from here: where on the way it failed, which is often why the server has no staple either. */
import { errorTable, type StapleError } from '../../../errors.ts'
import type { StatusAnswer } from '../../revocation/contract.ts'
import type { CertificateEvidence, Evidence } from '../evidence.ts'
import type { Finding, FindingRule, Remedy } from '../finding.ts'
import { liveAnswers, liveFailures } from '../live.ts'
import { type Stage, stageOf, stageText } from '../reach.ts'
import { carryIn, remediesFor } from '../remedies.ts'
import { certificateLine, certificateRule, sentence } from '../words.ts'

export const caUnreachable: FindingRule = certificateRule(
  {
    'ca-unreachable': 'the CA could not be asked from here: DNS, TCP, a proxy, TLS or HTTP failed',
    'ca-answer-refused': 'the CA answered with an error, or with a response that breaks a rule',
  },
  (seen, evidence) => {
    const failures = [...liveFailures(seen.live?.ocsp), ...liveFailures(seen.live?.crl)]
    if (failures.length === 0) return []
    const answers = failures.filter((failure) => stageOf(failure) === 'answer')
    const others = failures.filter((failure) => stageOf(failure) !== 'answer')
    return [
      ...(others.length > 0 && answers.length === 0 ? [unreachable(seen, evidence, others)] : []),
      ...(answers.length > 0 ? [refused(seen, evidence, answers)] : []),
    ]
  },
)

function unreachable(seen: CertificateEvidence, evidence: Evidence, failures: readonly StapleError[]): Finding {
  const stages = [...new Map(failures.map((failure) => [stageText(stageOf(failure), failure), failure])).entries()]
  const answer = liveAnswers(seen)[0]
  // Servers staple what a responder says; no CRL stands in the way of that.
  const isCrlAlone = seen.live?.ocsp === undefined
  return {
    code: 'ca-unreachable',
    severity: answer === undefined ? 'warning' : 'info',
    title: `the ${isCrlAlone ? "CA's CRL" : "CA's responder"} cannot be reached from here: ${stages.map(([name]) => name).join(', ')} failed`,
    meaning: meaningOf(answer, isCrlAlone),
    evidence: [
      certificateLine(seen),
      ...failures.map((failure) => `${stageOf(failure)}: ${failure.code}: ${failure.message}`),
    ],
    remedies: [
      ...[...new Map(failures.map((failure) => [stageOf(failure), failure]))].map(([stage, failure]) =>
        stageRemedy(stage, failure, seen, isCrlAlone),
      ),
      ...(isCrlAlone ? [] : [...remediesFor('reachResponder', evidence, seen), carryIn(evidence, seen)]),
    ],
  }
}

function meaningOf(answer: StatusAnswer | undefined, isCrlAlone: boolean): string {
  if (answer !== undefined) {
    const who = answer.source === 'crl' ? 'CRL' : 'responder'
    return `The ${who} said instead: ${answer.certStatus}. A staple can come from the responder only.`
  }
  return isCrlAlone
    ? 'Whether the certificate has been revoked is not known from here. Clients that read the CRL may meet the same; stapling does not depend on it.'
    : 'What is stapled could not be compared with what the CA says now. If it is the same from the server, it gets no staple; what it holds ends at nextUpdate.'
}

function refused(seen: CertificateEvidence, evidence: Evidence, failures: readonly StapleError[]): Finding {
  const codes = [...new Set(failures.map(({ code }) => code))]
  return {
    code: 'ca-answer-refused',
    severity: 'warning',
    title: `what the CA answers is no good: ${codes.map((code) => errorTable[code].summary).join('; ')}`,
    meaning:
      seen.live?.ocsp === undefined
        ? 'Whether the certificate has been revoked is not known from here, and careful clients that read this CRL do not learn it either; stapling does not depend on it.'
        : 'No staple can be made of it. A server that verifies what it staples has none or an old one; one that does not, staples this.',
    evidence: [certificateLine(seen), ...failures.map(({ code, message }) => `${code}: ${message}`)],
    remedies: [
      ...codes.map((code) => ({ text: sentence(errorTable[code].remedy) })),
      ...(codes.includes('ERR_OCSP_RESPONSE_STATUS') ? remediesFor('hideErrors', evidence, seen) : []),
    ],
  }
}

/** What is pasted into a shell holds nothing of a stranger's that a shell would read. */
function stageRemedy(
  stage: Stage,
  failure: StapleError,
  { certificate }: CertificateEvidence,
  isCrlAlone: boolean,
): Remedy {
  const { responderURLs, crlDistributionPoints } = certificate.extensions
  const [crlURL = ''] = crlDistributionPoints.flatMap(({ urls }) => urls)
  const url = isCrlAlone ? crlURL : (responderURLs[0] ?? crlURL)
  const curl = `curl -sv -m 30 -o /dev/null '${url.replace(/[^\w.:/?&=%~+-]/g, '')}'`
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/[^\w.:-]/g, '') : 'ocsp.example.net'
  switch (stage) {
    case 'DNS':
      return {
        kind: 'commands',
        text: isCrlAlone ? 'The name must resolve.' : 'The name must resolve on the server, too.',
        lines: [`getent hosts ${host}`],
      }
    case 'TCP':
      return {
        kind: 'commands',
        text: isCrlAlone
          ? 'Let the firewall allow the way out to it: plain HTTP, port 80 as a rule.'
          : "Let the firewall allow the server's way out to the responder: plain HTTP, port 80 as a rule.",
        lines: [curl],
      }
    case 'proxy':
      return { text: 'The proxy did not let it through: check its address, its log, and whether it wants credentials.' }
    case 'TLS':
      return {
        text: 'The responder is on https, and its own certificate is not trusted here: OCSP needs no TLS, use http.',
      }
    case 'policy':
      return {
        text: 'The certificate names an address that is not asked for a stranger: private ones are asked only where the target itself is on one.',
      }
    case 'earlier requests':
      return { text: 'Its host failed for other certificates a moment ago: see what is said of those.' }
    default:
      if (failure.code === 'ERR_FETCH_TIMEOUT') {
        return {
          kind: 'commands',
          text: 'It takes the connection and gives no whole answer in time: it hangs or is overloaded, or something on the way holds the answer back. See whether it is so from elsewhere, and tell the CA.',
          lines: [curl],
        }
      }
      return {
        text: isCrlAlone
          ? 'What answers gives no CRL, or one over the limit: a captive portal, a proxy, a moved address. Ask it by hand.'
          : 'Something answers that is no responder: a captive portal, a proxy, a moved address. Ask it by hand.',
      }
  }
}
