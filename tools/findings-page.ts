/** Writes docs/reference/findings.md from the rules of check; test/check/diagnose/page.test.ts holds the page equal to it. */
import type { FindingRule } from '../src/check/diagnose/finding.ts'

/** The page's sections, in order; every code must fit one. */
const sections: readonly (readonly [heading: string, about: string, codes: RegExp])[] = [
  ['All is well', 'Said where nothing was found wrong.', /^healthy$/],
  [
    'Is there a staple?',
    'Over every connection that showed the certificate: each address, TLS 1.2 and 1.3, each kind of key.',
    /^(no-staple|nothing-to-staple|staple-missed|must-staple)/,
  ],
  [
    'Does it count?',
    'By the rules that Staplewright keeps itself: `staplewright inspect` lists them all.',
    /^(staple-(refused|revoked|unknown|stale|not-judged)|stapled-error|weak-signature)/,
  ],
  [
    'Will it last, and does everybody take it?',
    'About staples that are good now.',
    /^(staple-(ends|too)|survives|delegate|no-next|window|sha256|several)/,
  ],
  [
    'What the CA says now',
    'Only where it is asked: not with `--no-phone-home`, and not for a chain that does not verify, unless the target is on private addresses alone.',
    /^(staple-older|revoked-now|unknown-to-ca|ca-(unreachable|answer|not)|responder)/,
  ],
  ['The certificate around it', 'None of these hides what is said of the staple.', /^(certificate|chain|name|clock)/],
  ['The connection', 'What a server does not offer, as an old TLS version, is no failure.', /connect|^address/],
  ['Beside stapling', 'Only with `--stack`.', /^(tls13|hsts|caa-missing|stack)/],
]

/** The whole page, as Markdown. */
export function formatFindingsPage(rules: readonly FindingRule[]): string {
  const left = new Map(rules.flatMap(({ codes }) => Object.entries(codes)))
  const written = sections.map(([heading, about, pattern]) => {
    const rows = [...left].filter(([code]) => pattern.test(code) && left.delete(code))
    const lines = rows.map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)
    return `## ${heading}\n\n${about}\n\n| code | what is the case |\n|---|---|\n${lines.join('\n')}\n`
  })
  if (left.size > 0) throw new Error(`tools/findings-page.ts has no section for ${[...left.keys()].join(', ')}`)
  return [head, ...written].join('\n')
}

const head = `# Findings

Made from \`src/check/diagnose/rules\`; do not edit by hand: \`npm run docs\` writes it.

What \`staplewright check\` can find. Codes are stable: alerts and scripts may go by them. A finding has a severity, says what
it means and for whom, gives the facts it rests on, and how to mend it in the server that was recognised, then in others.

| severity | means | exit code |
|---|---|---|
| \`critical\` | clients are refused, or a revocation is hidden | 2 |
| \`unknown\` | it could not be learned | 3 |
| \`warning\` | it works for most clients, or not for long | 1 |
| \`info\` | worth knowing | 0 |
| \`ok\` | nothing wrong | 0 |

The same code can be graver in one place than in another: where the certificate demands a staple (Must-Staple), what is
otherwise a warning is critical.
`
