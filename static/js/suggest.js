// Prompts that go on as the one being typed: a listbox under the prompt. The caret stays in the field (aria-activedescendant);
// arrows are taken only while the list is open and the caret stands at the end, where they have nothing else to do.

const AFTER_MS = 220;
const LEAST = 3;

const prompt = () => document.getElementById("prompt");
const place = () => document.getElementById("suggest");
const options = () => [...place().querySelectorAll("[role=option]")];

let timer;
let asked = 0;
let active = -1;

function close() {
  clearTimeout(timer);
  asked += 1;
  active = -1;
  place()?.replaceChildren();
  prompt()?.removeAttribute("aria-activedescendant");
}

async function ask(words) {
  const number = (asked += 1);
  const body = new FormData();
  body.set("prompt", words);
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  const response = await fetch(prompt().dataset.suggest, { method: "POST", body, headers }).catch(() => null);
  if (!response?.ok || response.redirected) return;
  const text = await response.text();
  if (number !== asked || document.activeElement !== prompt()) return;
  active = -1;
  place().innerHTML = text;
}

function move(to) {
  const all = options();
  all[active]?.setAttribute("aria-selected", "false");
  active = to;
  const next = all[active];
  next?.setAttribute("aria-selected", "true");
  next?.scrollIntoView({ block: "nearest" });
  if (next) prompt().setAttribute("aria-activedescendant", next.id);
  else prompt().removeAttribute("aria-activedescendant");
}

function take(option) {
  prompt().value = option.dataset.text;
  prompt().dispatchEvent(new Event("input", { bubbles: true }));
  close();
  prompt().focus();
}

document.addEventListener("input", (event) => {
  if (event.target !== prompt()) return;
  clearTimeout(timer);
  const words = event.target.value.trim();
  const isAtEnd = event.target.selectionStart === event.target.value.length;
  if (words.length < LEAST || !isAtEnd || !event.isTrusted) return close();
  timer = setTimeout(ask, AFTER_MS, words);
});

document.addEventListener("keydown", (event) => {
  if (event.target !== prompt() || event.isComposing) return;
  const all = options();
  if (!all.length) return;
  const isAtEnd = prompt().selectionStart === prompt().value.length;
  if (event.key === "Escape") close();
  else if (event.key === "ArrowDown" && isAtEnd) move(Math.min(active + 1, all.length - 1));
  else if (event.key === "ArrowUp" && active >= 0) move(active - 1);
  else if (event.key === "Enter" && active >= 0 && !event.ctrlKey && !event.metaKey) take(all[active]);
  else {
    if (event.key === "Enter" || event.key === "Tab") close();
    return;
  }
  event.preventDefault();
  event.stopPropagation();
});

// Before the field loses the focus, which would close the list under the pointer.
document.addEventListener("pointerdown", (event) => {
  const option = event.target.closest?.("#suggest [role=option]");
  if (!option) return;
  event.preventDefault();
  take(option);
});
document.addEventListener("focusout", (event) => event.target === prompt() && close());
