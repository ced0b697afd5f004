// Toasts: the server renders them, this lets them go again. Nobody loses an Undo for being slow to reach it.

const STAYS_MS = 8000;
const UNDO_STAYS_MS = 15000;

function arm(toast) {
  if (toast.dataset.armed) return;
  toast.dataset.armed = "1";
  const dismiss = toast.querySelector("[data-dismiss]");
  dismiss.hidden = false;
  dismiss.addEventListener("click", () => toast.remove());
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => toast.remove(), toast.querySelector("form") ? UNDO_STAYS_MS : STAYS_MS);
  };
  for (const type of ["pointerenter", "focusin"]) toast.addEventListener(type, () => clearTimeout(timer));
  for (const type of ["pointerleave", "focusout"]) toast.addEventListener(type, wait);
  wait();
}

const list = document.getElementById("toasts");
const armAll = () => list.querySelectorAll("[data-toast]").forEach(arm);
new MutationObserver(armAll).observe(list, { childList: true });
armAll();

/** Shows a copy of the toast in <template id="..."> (its words come from the server, like all others). */
export function showTemplate(id) {
  const template = document.getElementById(id);
  if (template) list.append(template.content.cloneNode(true));
}
