/** How the page looks: by day, by night, on a phone and on paper. */
export const style = `
:root { color-scheme: light dark;
  --back: #fbfaf8; --card: #ffffff; --ink: #1d2227; --faint: #5c6670; --line: #dcdad5; --code: #f3f1ec;
  --ok: #1a7f4b; --warning: #9a6700; --critical: #c0272d; --unknown: #6b4fa0; --info: #2f6f9f; }
@media (prefers-color-scheme: dark) { :root {
  --back: #14171a; --card: #1c2024; --ink: #e4e7ea; --faint: #9aa4ae; --line: #30363c; --code: #14171a;
  --ok: #4cc38a; --warning: #e2b340; --critical: #ff7a75; --unknown: #b79bf0; --info: #74b8e8; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1, h2, h3 { line-height: 1.25; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 0; }
h3 { font-size: 1rem; margin: 0; }
p { margin: .4rem 0; }
a { color: inherit; }
.faint, figcaption, footer { color: var(--faint); }
.faint, footer, figcaption { font-size: .9rem; }
.ok { --tone: var(--ok); } .warning { --tone: var(--warning); } .critical { --tone: var(--critical); }
.unknown { --tone: var(--unknown); } .info { --tone: var(--info); }
.window.good { --tone: var(--ok); } .window.warn { --tone: var(--warning); } .window.bad { --tone: var(--critical); }
.badge { display: inline-block; padding: .05rem .6rem; border: 1px solid var(--tone); border-radius: 1rem; color: var(--tone);
  font-size: .85rem; font-weight: 600; white-space: nowrap; vertical-align: .1em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-size: .85rem; color: var(--faint); font-weight: 600; }
td { overflow-wrap: anywhere; } td:first-child, .targets td:nth-child(2) { white-space: nowrap; }
section { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--tone); border-radius: .5rem;
  padding: 1.1rem 1.25rem; margin: 1.25rem 0; }
dl { display: grid; grid-template-columns: 6.5rem 1fr; gap: .2rem 1rem; margin: .2rem 0; }
p + dl { margin-top: 1rem; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: .5rem 0 .75rem 7.5rem; overflow-x: auto; } figure svg { display: block; width: 100%; min-width: 26rem; max-width: 44rem; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--faint); } svg text.now { fill: var(--ink); font-weight: 600; }
svg .all { fill: var(--line); } svg .elapsed { fill: var(--tone); } svg line.now { stroke: var(--ink); stroke-width: 2; }
figcaption { color: var(--tone); font-weight: 600; margin-top: .25rem; }
article { border-top: 1px solid var(--line); padding: 1rem 0 .4rem; }
dl + article { margin-top: 1.2rem; }
article h3::before { content: ''; display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; background: var(--tone);
  margin-right: .55rem; }
article > :not(h3) { margin-left: 1.15rem; }
code, pre { font: .875rem/1.5 ui-monospace, monospace; } h3 code { color: var(--faint); font-weight: 400; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: .35rem; padding: .6rem .8rem; margin: .5rem 0;
  overflow-x: auto; }
ul { margin: .4rem 0; padding-left: 1.1rem; } li { overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--faint); font-size: .9rem; margin: .5rem 0; }
footer { margin-top: 2rem; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } figure { margin-left: 0; } }
@media print { :root { color-scheme: light; } body { background: none; font-size: 11pt; } main { padding: 0; max-width: none; }
  section { break-inside: auto; } article, figure, pre { break-inside: avoid; } pre { white-space: pre-wrap; } }
`
