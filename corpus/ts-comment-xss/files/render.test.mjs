import assert from "node:assert/strict";
import test from "node:test";
import { render } from "./render.mjs";

test("plain comments look as before", () => {
  assert.equal(
    render({ author: "Ann", text: "one\ntwo" }),
    "<article><h4>Ann</h4><p>one<br>two</p></article>",
  );
  assert.equal(
    render({ author: "Ann", website: "https://ann.example/?a=1&b=2", text: "hi" }),
    '<article><h4><a href="https://ann.example/?a=1&amp;b=2">Ann</a></h4><p>hi</p></article>',
  );
});

test("markup in any field is text", () => {
  const html = render({ author: "<b>Ann</b>", text: "<img src=x onerror=alert(1)> & \"quotes\"" });
  assert.equal(
    html,
    "<article><h4>&lt;b&gt;Ann&lt;/b&gt;</h4><p>&lt;img src=x onerror=alert(1)&gt; &amp; &quot;quotes&quot;</p></article>",
  );
});

test("an address cannot leave its attribute", () => {
  const html = render({ author: "x", website: 'https://a.example/" onmouseover="alert(1)', text: "" });
  assert.ok(!html.includes('" onmouseover'), html);
});

test("only web addresses become links", () => {
  for (const website of ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "data:text/html,x", "java\tscript:alert(1)", "not an address"]) {
    assert.equal(render({ author: "Ann", website, text: "" }), "<article><h4>Ann</h4><p></p></article>");
  }
});
