// The gaps of a template, [product] and the like: each becomes a field under the prompt, which fills it as one types.

const GAP = /\[([^[\]{}\n]{1,40})\]/g;

const prompt = () => document.getElementById("prompt");
const place = () => document.getElementById("gaps");

let template = ""; // the prompt with its gaps; what the fields hold is put into it
let values = {};
let isWriting = false;

const namesIn = (text) => [...new Set([...text.matchAll(GAP)].map((found) => found[1]))];
const filled = () => template.replace(GAP, (whole, name) => values[name]?.trim() || whole);

function field(name) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  label.textContent = name;
  input.type = "text";
  input.maxLength = 100;
  input.dir = "auto";
  input.autocomplete = "off";
  input.dataset.gap = name;
  input.placeholder = place().dataset.empty;
  label.append(input);
  return label;
}

/** Looks at the prompt anew: it was written by hand or came from somewhere. */
function read() {
  if (!prompt() || isWriting || prompt().value === filled()) return;
  template = prompt().value;
  values = {};
  const names = namesIn(template);
  place().replaceChildren(...names.map(field));
  place().hidden = names.length === 0;
}

document.addEventListener("input", (event) => {
  if (event.target === prompt()) return read();
  const name = event.target.dataset?.gap;
  if (name === undefined) return;
  values[name] = event.target.value;
  isWriting = true;
  prompt().value = filled();
  prompt().dispatchEvent(new Event("input", { bubbles: true }));
  isWriting = false;
});

// composer.js says when it has filled the form from a link; htmx, when the form came anew.
document.addEventListener("atelier:filled", () => {
  read();
  place().querySelector("input")?.focus();
});
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id !== "composer") return;
  template = "";
  read();
});
read();
