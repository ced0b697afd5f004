// What every signed-in page needs.
import "./live.js";
import "./menu.js";
import "./notify.js";
import { showTemplate } from "./toast.js";

for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, () => showTemplate("toast-error"));
}

// A whole page where a fragment was expected is the sign-in page: the session is over.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!/^\s*<!doctype/i.test(event.detail.xhr.responseText)) return;
  event.detail.shouldSwap = false;
  if (event.detail.elt.closest(".theme-switch")) return; // answered with the profile page, of which nothing is needed
  location.reload();
});

// The theme changes at once; the form beside it lets the server remember.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".theme-switch button");
  if (!button) return;
  document.documentElement.dataset.theme = button.value;
  for (const other of button.parentElement.children) other.ariaPressed = String(other === button);
});

// On a shared computer nothing that was written stays behind.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-sign-out]")) return;
  for (const store of [localStorage, sessionStorage]) {
    for (const key of Object.keys(store)) if (key.startsWith("atelier:")) store.removeItem(key);
  }
});

// Who works by keyboard is not thrown back to the top when the focused thing goes: what came in its place takes the focus,
// or the Undo, or the page.
let isByKeyboard = false;
addEventListener("keydown", () => { isByKeyboard = true; }, true);
addEventListener("pointerdown", () => { isByKeyboard = false; }, true);
document.addEventListener("htmx:afterSettle", (event) => {
  if (!isByKeyboard || (document.activeElement && document.activeElement !== document.body)) return;
  const next = [event.target.querySelector?.("a, button"), document.querySelector("#toasts form button"), document.getElementById("main")];
  next.find(Boolean).focus({ preventScroll: true });
});
