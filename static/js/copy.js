// <button data-copy="id" data-done="Copied">: copies a field's value, a definition list as lines, or plain text.

function textOf(element) {
  if ("value" in element) return element.value;
  const rows = element.querySelectorAll(":scope > div:has(dt)");
  if (!rows.length) return element.textContent.trim();
  return Array.from(rows, (row) => `${row.querySelector("dt").textContent}: ${row.querySelector("dd").textContent}`).join("\n");
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Pages served without TLS have no clipboard API; the old command still works from a click.
  const area = Object.assign(document.createElement("textarea"), { value: text, className: "sr-only" });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** Copies `text` and lets `button` say so for a moment, in its data-done words. */
export async function copyFor(button, text) {
  await copy(text);
  const words = button.querySelector("span") ?? button;
  button.dataset.before ??= words.textContent;
  words.textContent = button.dataset.done;
  clearTimeout(button.restoring);
  button.restoring = setTimeout(() => { words.textContent = button.dataset.before; }, 2000);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (button) copyFor(button, textOf(document.getElementById(button.dataset.copy)));
});
