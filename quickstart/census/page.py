"""The look of the report: style and the few lines that sort and filter its table. Nothing is fetched."""

STYLE = """
:root { --ink:#1b2620; --soft:#66756c; --line:#dfe6e1; --paper:#fff; --band:#f4f8f5; --accent:#2f8f5b; --bad:#b3402a; }
@media (prefers-color-scheme: dark) { :root { --ink:#e4ece7; --soft:#93a39a; --line:#2b3731; --paper:#141a17;
  --band:#1b2420; --accent:#5fc98f; --bad:#ef8b75; } }
* { box-sizing: border-box; }
body { margin:0; background:var(--paper); color:var(--ink); font:16px/1.5 system-ui, sans-serif; }
main { max-width:60rem; margin:0 auto; padding:2.5rem 1.25rem 4rem; }
h1 { font-size:1.9rem; line-height:1.2; margin:0 0 .5rem; } h2 { font-size:1.2rem; margin:2.5rem 0 .25rem; }
header p { font-size:1.1rem; margin:0; max-width:46rem; } section > p { margin:.25rem 0 .75rem; color:var(--soft); }
.soft { color:var(--soft); }
.tiles { display:grid; grid-template-columns:repeat(auto-fit, minmax(7.2rem, 1fr)); gap:.6rem; margin-top:1.75rem; }
.tiles div { background:var(--band); border:1px solid var(--line); border-radius:.6rem; padding:.7rem .8rem; }
.tiles b { display:block; font-size:1.35rem; font-variant-numeric:tabular-nums; }
.tiles span { color:var(--soft); font-size:.85rem; }
svg.census-plot { width:100%; height:auto; display:block; }
.scroll { overflow-x:auto; border:1px solid var(--line); border-radius:.6rem; }
table { border-collapse:collapse; width:100%; font-size:.9rem; font-variant-numeric:tabular-nums; }
th, td { text-align:right; padding:.3rem .7rem; white-space:nowrap; }
th:first-child, td:first-child, .text { text-align:left; }
thead th { background:var(--band); border-bottom:1px solid var(--line); }
tbody tr + tr td { border-top:1px solid var(--line); }
th button { all:unset; cursor:pointer; } th button:hover, th button:focus-visible { color:var(--accent); }
th[aria-sort] button { color:var(--accent); }
#modules td:first-child { font-weight:600; background:linear-gradient(90deg,
  color-mix(in srgb, var(--accent) 18%, transparent) var(--share), transparent var(--share)); }
.failures h2, .failures td:first-child { color:var(--bad); } .failures td { white-space:normal; }
input { font:inherit; color:inherit; background:var(--band); border:1px solid var(--line); border-radius:.4rem;
  padding:.3rem .6rem; }
footer { margin-top:2.5rem; color:var(--soft); font-size:.85rem; display:flex; flex-wrap:wrap; gap:.3rem 1.5rem; }
code { font-size:.85em; }
"""

TABLE_SCRIPT = """
const table = document.getElementById('modules'), body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
const value = (row, i) => { const t = row.cells[i].textContent, n = Number(t.replaceAll(',', ''));
  return t !== '' && !Number.isNaN(n) ? n : t; };
heads.forEach((head, i) => head.addEventListener('click', () => {
  const down = head.getAttribute('aria-sort') !== 'descending';
  heads.forEach(h => h.removeAttribute('aria-sort'));
  head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  const rows = [...body.rows].sort((a, b) => { const x = value(a, i), y = value(b, i);
    return typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y)); });
  body.append(...(down ? rows.reverse() : rows));
}));
document.getElementById('filter').addEventListener('input', event => {
  const wanted = event.target.value.toLowerCase();
  for (const row of body.rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
});
"""
