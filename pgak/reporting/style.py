"""The style sheet of the report's page: one column, light and dark."""
__all__ = ['CSS']

CSS = """
:root {
  color-scheme: light dark;
  --ink: light-dark(#1c1e21, #e6e7e9);
  --soft: light-dark(#5a6068, #a3a9b2);
  --line: light-dark(#d9dce1, #3a3f46);
  --paper: light-dark(#ffffff, #16181c);
  --band: light-dark(#f4f5f7, #1f2228);
  --link: light-dark(#0b57c0, #8ab4f8);
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 1.5rem clamp(1rem, 3vw, 3rem) 4rem;
  max-width: 92rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans",
    "DejaVu Sans", sans-serif;
}
h1 { font-size: clamp(1.6rem, 4vw, 2.2rem); line-height: 1.2;
  margin: 0 0 .75rem; }
h2 { font-size: 1.4rem; line-height: 1.25; margin: 3rem 0 1rem;
  padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 2rem 0 .75rem; }
p, ul { max-width: 46rem; margin: .75rem 0; }
li { margin: .2rem 0; overflow-wrap: anywhere; }
a { color: var(--link); }
code { font: .85em/1.5 ui-monospace, "SFMono-Regular", Menlo,
  "DejaVu Sans Mono",
  monospace; overflow-wrap: anywhere; }
details { max-width: 60rem; margin: .75rem 0; }
details ul { max-width: none; }
summary { cursor: pointer; color: var(--link); }
nav { background: var(--band); border-radius: .5rem; padding: .75rem 1.25rem;
  margin: 1.5rem 0; }
nav ol { margin: 0; padding-left: 1.25rem; columns: 16rem; }
.scroll { overflow-x: auto; margin: 1.25rem 0 1.75rem; }
caption span { font-weight: 400; color: var(--soft); }
table { border-collapse: collapse; min-width: min(44rem, 100%);
  font-size: .92rem; font-variant-numeric: tabular-nums lining-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .5rem;
  max-width: min(60rem, 88vw); position: sticky; left: 0; }
th, td { padding: .4rem .8rem; text-align: right; vertical-align: top;
  border-bottom: 1px solid var(--line); }
.words { text-align: left; }
thead th { vertical-align: bottom; border-bottom: 2px solid var(--soft); }
td.words:last-child { min-width: 15rem; }
th[scope=row] { font-weight: 500; position: sticky; left: 0;
  background: var(--paper); min-width: 9rem;
  max-width: 14rem; overflow-wrap: anywhere; }
tbody tr:hover > * { background: var(--band); }
td { white-space: nowrap; }
td.words { white-space: normal; min-width: 6rem; overflow-wrap: anywhere; }
td small { display: block; color: var(--soft); white-space: normal;
  font-size: .8rem; max-width: 12rem; margin-left: auto; }
.charts, .grids, .rows { display: grid; gap: 1.25rem; align-items: start; }
.charts { grid-template-columns:
  repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); }
.grids { grid-template-columns:
  repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); }
.charts figure { max-width: 44rem; }
figure { margin: 0; }
figcaption { color: var(--soft); font-size: .88rem; margin-top: .35rem;
  overflow-wrap: anywhere; }
img { display: block; width: 100%; height: auto; background: #fff;
  border: 1px solid var(--line); border-radius: .35rem; }
.charts img, .rows img { padding: .35rem; }
img.pixels { image-rendering: pixelated; }
@media print { body { max-width: none; } .scroll { overflow: visible; } }
"""
