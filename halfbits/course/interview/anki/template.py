"""How a card looks in Anki, light and dark; a word in [brackets] is filled for each language."""

FRONT = """<div lang="[lang]">
<p class="about">{{About}}</p>
<div class="question">{{Question}}</div>
<p class="say">[say]</p>
</div>"""
BACK = """<div lang="[lang]">
<p class="about">{{About}}</p>
<div class="question">{{Question}}</div>
<hr id="answer">
{{Answer}}
<details open><summary>[points]</summary>{{Points}}</details>
<details><summary>[full]</summary>{{Full answer}}</details>
</div>"""
STYLE = """.card {
  max-width: 42rem;
  margin: 1rem auto;
  padding: 0 1rem;
  font: 1.05rem/1.55 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  text-align: left;
  color: #1c1f24;
  background: #fff;
}
.about, .say { color: #57606a; font-size: 0.85rem; }
.question { font-size: 1.2rem; font-weight: 600; }
hr { border: 0; border-top: 1px solid #c8ccd1; }
details { margin: 0.8rem 0; }
summary { cursor: pointer; font-weight: 600; }
code { font-size: 0.92em; }
pre { overflow-x: auto; padding: 0.6rem; background: #f2f4f6; }
table { border-collapse: collapse; }
td, th { padding: 0.2rem 0.6rem; border: 1px solid #c8ccd1; }
.nightMode.card, .nightMode .card { color: #e4e7eb; background: #1d2024; }
.nightMode .about, .nightMode .say { color: #a3abb5; }
.nightMode pre { background: #2a2e33; }
.nightMode td, .nightMode th, .nightMode hr { border-color: #4a5058; }
"""
