// The composer: chips that show what is chosen, the set-up in the address (after #, so that no log sees a prompt) and
// remembered for the next visit. The form itself is the only state; htmx may replace it, so nothing is bound to its nodes.
import { showAdapters } from "./adapters.js";
import { copyFor } from "./copy.js";

const FIELDS = ["checkpoint", "prompt", "negative_prompt", "style", "format", "count", "steps", "guidance", "seed", "scheduler", "source", "strength", "reference", "reference_as", "reference_scale", "adapters"];
const COSTS = new Set(["checkpoint", "format", "count", "steps"]);
const REMEMBER_AFTER_MS = 300;
const STORE = `atelier:set-up:${document.body.dataset.user}`;
const MORE = "atelier:more";

const form = () => document.getElementById("composer-form");
const drawSeed = () => String(crypto.getRandomValues(new Uint32Array(1))[0]);

function setUp() {
  const values = new FormData(form());
  return new URLSearchParams(FIELDS.map((name) => [name, values.get(name) ?? ""]));
}

/** Fills the composer with a set-up (URLSearchParams); what it does not name stays as it is. */
export function fill(params) {
  for (const name of FIELDS) {
    const control = form().elements[name];
    if (control === undefined || !params.has(name)) continue;
    const value = params.get(name);
    if (control instanceof RadioNodeList) {
      const option = [...control].find((radio) => radio.value === value);
      if (option) option.checked = true;
    } else if (!(control.type === "range" && value === "") && !(control.tagName === "SELECT" && ![...control.options].some((option) => option.value === value))) {
      control.value = value;
    }
    if (name === "checkpoint") followModel({ keepNumbers: true });
  }
  refresh();
  document.dispatchEvent(new CustomEvent("atelier:source"));
}

// --- What the form shows of itself ---

function refreshChip(menu) {
  const chosen = form().querySelector(`input[name="${menu.dataset.chip}"]:checked`)?.closest("label");
  if (!chosen) return;
  const summary = menu.querySelector("summary");
  for (const part of summary.querySelectorAll("[data-part]")) {
    const source = chosen.querySelector(`[data-part="${part.dataset.part}"]`);
    if (source) part.replaceChildren(...source.cloneNode(true).childNodes);
  }
  summary.ariaLabel = summary.dataset.label.replace("{value}", summary.querySelector("[data-part=name]").textContent);
}

function refresh() {
  form().querySelectorAll("[data-chip]").forEach(refreshChip);
  for (const range of form().querySelectorAll("[data-mirrors]")) {
    const number = document.getElementById(range.dataset.mirrors);
    range.value = number.value || number.placeholder;
  }
  offerSchedulers();
  showAdapters(form(), modelNow()?.family);
  const lock = form().querySelector("[data-seed=lock]");
  lock.ariaPressed = String(form().elements.seed.value !== "");
  growPrompt();
}

// Only those that the chosen model draws with; one that does not gives way to the model's own.
function offerSchedulers() {
  const { scheduler, schedulers } = modelNow() ?? {};
  const suiting = schedulers?.split(" ").filter(Boolean) ?? [];
  const select = form().elements.scheduler;
  for (const option of select.options) option.hidden = option.disabled = suiting.length > 0 && !suiting.includes(option.value);
  if (select.selectedOptions[0]?.disabled) select.value = scheduler;
}

// field-sizing does this in the style sheet where it is known.
function growPrompt() {
  if (CSS.supports("field-sizing", "content")) return;
  const prompt = form().elements.prompt;
  prompt.style.blockSize = "auto";
  prompt.style.blockSize = `${prompt.scrollHeight}px`;
}

// --- The model decides which styles there are, and what the numbers are unless somebody chose them ---

let model;

function modelNow() {
  return form().querySelector("input[name=checkpoint]:checked")?.dataset;
}

function followModel({ keepNumbers = false } = {}) {
  const next = modelNow();
  if (!next) return;
  for (const option of form().querySelectorAll("[data-families]")) {
    option.hidden = !option.dataset.families.split(" ").includes(next.family);
    if (option.hidden && option.querySelector("input").checked) form().querySelector("input[name=style][value='']").checked = true;
  }
  for (const name of ["steps", "guidance", "scheduler"]) {
    const control = form().elements[name];
    if (name !== "scheduler") control.placeholder = next[name];
    if (!keepNumbers && (control.value === "" || control.value === model?.[name])) control.value = next[name];
  }
  model = { ...next };
}

// --- Remembering ---

let remembering;
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(rememberNow, REMEMBER_AFTER_MS);
}
function rememberNow() {
  clearTimeout(remembering);
  remembering = undefined;
  const text = setUp().toString();
  localStorage.setItem(STORE, text);
  history.replaceState(history.state, "", `#${text}`);
}
addEventListener("pagehide", () => remembering && form() && rememberNow());

function estimate() {
  htmx.trigger(form().querySelector(".estimate"), "estimate");
}

// --- What people do ---

document.addEventListener("input", (event) => {
  if (event.target.form !== form() || !form()) return;
  const { name, dataset } = event.target;
  if (dataset.mirrors) document.getElementById(dataset.mirrors).value = event.target.value;
  if (name === "checkpoint") followModel();
  refresh();
  remember();
  if (COSTS.has(name) || COSTS.has(dataset.mirrors)) estimate();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.target.form !== form() || !form()) return;
  event.preventDefault();
  form().requestSubmit();
});

function toggleMore(isOpen) {
  document.getElementById("more-button").ariaExpanded = String(isOpen);
  localStorage.setItem(MORE, isOpen ? "1" : "");
}

function changeSeed(how) {
  const seed = form().elements.seed;
  if (how === "draw") seed.value = drawSeed();
  else seed.value = seed.value ? "" : (document.querySelector("[data-job-seed]")?.dataset.jobSeed ?? drawSeed());
}

function reset() {
  const next = modelNow();
  for (const name of ["steps", "guidance", "scheduler"]) form().elements[name].value = next[name];
  for (const name of ["seed", "negative_prompt"]) form().elements[name].value = "";
}

function copyLink(button) {
  rememberNow();
  copyFor(button, location.href);
}

document.addEventListener("click", (event) => {
  if (!form()) return;
  const button = event.target.closest?.("#composer-form button");
  if (button?.id === "more-button") toggleMore(button.ariaExpanded !== "true");
  else if (button?.matches("[data-copy-link]")) copyLink(button);
  else if (button?.matches("[data-seed], [data-reset]")) {
    if (button.dataset.seed) changeSeed(button.dataset.seed);
    else reset();
    refresh();
    remember();
    estimate();
  }
});

// A link to a set-up ("use these settings", a prompt of before) fills the form that is here instead of loading the page.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href*='#']");
  if (!link || !form() || event.metaKey || event.ctrlKey || event.shiftKey || link.pathname !== location.pathname || link.hash === "#main") return;
  event.preventDefault();
  use(link.hash);
});
addEventListener("hashchange", () => form() && location.hash !== "#main" && use(location.hash));

function use(hash) {
  fill(new URLSearchParams(hash.slice(1)));
  rememberNow();
  estimate();
  scrollTo({ top: 0 });
  form().elements.prompt.focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent("atelier:filled"));
}

/** Called once: takes the set-up of the address, else the remembered one, before anything is painted. */
export function start() {
  if (!form()) return;
  if (/Mac|iP(hone|ad)/.test(navigator.platform)) form().querySelector("[data-shortcut]").textContent = "⌘↵";
  if (localStorage.getItem(MORE)) document.getElementById("more-button").ariaExpanded = "true";
  model = { ...modelNow() };
  const hasSetUp = location.hash.length > 1 && location.hash !== "#main";
  const remembered = hasSetUp ? location.hash.slice(1) : localStorage.getItem(STORE);
  if (remembered) {
    fill(new URLSearchParams(remembered));
    estimate();
  } else refresh();
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "composer") {
    model = { ...modelNow() };
    refresh();
    form().querySelector("[aria-invalid=true]")?.focus();
  }
});
document.addEventListener("atelier:cost", () => form() && estimate());
