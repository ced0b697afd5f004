// What every signed-in page needs.
import "./live.js";
import { showTemplate } from "./toast.js";

for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, () => showTemplate("toast-error"));
}

// Only who has a job under way is told of its end.
let telling;
const tellOf = async (event) => (await (telling ??= import("./notify.js"))).take(event);
for (const type of ["job.progress", "job.done", "job.failed", "job.cancelled", "batch.changed"]) {
  document.addEventListener(`atelier:${type}`, tellOf);
}

// A small form that was asked for opens in the sheet, and closes when it was accepted.
const sheet = document.getElementById("sheet");
document.addEventListener("htmx:afterSettle", (event) => event.target === sheet && sheet.showPopover());
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && event.detail.requestConfig.verb === "post" && sheet.contains(event.detail.elt)) sheet.hidePopover();
});

// Something that concerns this person: the bell counts it.
document.addEventListener("atelier:notice.added", () => htmx.ajax("GET", "/notices/bell/", { source: "#bell", target: "#bell", swap: "outerHTML" }));

// A whole page where a fragment was expected, or without the part that was to be taken from it, is the sign-in page: the
// session is over.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const page = detail.xhr.responseText;
  if (!/^\s*<!doctype/i.test(page)) return;
  const part = detail.select ?? detail.requestConfig.elt.closest("[hx-select]")?.getAttribute("hx-select");
  if (part && new DOMParser().parseFromString(page, "text/html").querySelector(part)) return;
  detail.shouldSwap = false;
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

// --- Menus: <details class="menu">: closes on Escape, a press beside it, focus that leaves it, and a choice made in it.

const openMenu = () => document.querySelector("details.menu[open]");

function closeMenu(menu, { refocus }) {
  menu.open = false;
  if (refocus) menu.querySelector("summary").focus();
}

document.addEventListener("pointerdown", (event) => {
  const menu = openMenu();
  if (menu && !menu.querySelector(".menu-panel").contains(event.target) && !menu.querySelector("summary").contains(event.target)) {
    closeMenu(menu, { refocus: false });
  }
});

document.addEventListener("keydown", (event) => {
  const menu = openMenu();
  if (!menu) return;
  const inRadio = event.target.matches?.("input[type=radio]") && menu.contains(event.target);
  // Enter in a radio group would send the whole form; here it means "this one".
  if (event.key === "Escape" || (inRadio && event.key === "Enter")) {
    event.preventDefault();
    event.stopPropagation();
    closeMenu(menu, { refocus: true });
  }
}, true);

// A press on a label focuses what is around the menu first (<main>, say): that is not leaving. Closing waits for the event
// to be over, because Chromium 156 crashes when a <details> closes under a focus that is still moving.
document.addEventListener("focusin", (event) => {
  const menu = openMenu();
  if (!menu || menu.contains(event.target) || event.target.contains(menu)) return;
  setTimeout(() => closeMenu(menu, { refocus: false }));
});

// A click on a choice closes; arrow keys also fire "click" on radios, but with no pointer behind them (detail is 0).
document.addEventListener("click", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  if (!menu || event.detail === 0) return;
  if (!event.target.closest("[data-closes], .menu-item:has(input[type=radio])")) return;
  // A choice may have led the focus elsewhere, such as into the prompt that it filled: there it stays.
  setTimeout(() => closeMenu(menu, { refocus: menu.contains(document.activeElement) || document.activeElement === document.body }));
});

// A panel that would reach beyond the page hangs from the other end of its button.
document.addEventListener("toggle", ({ target: menu }) => {
  if (!menu.matches?.("details.menu:not(.menu-end), details.menu[data-turned]")) return;
  const { left, right } = menu.querySelector(".menu-panel").getBoundingClientRect();
  const isBeyond = menu.open && (left < 0 || right > document.documentElement.clientWidth);
  menu.classList.toggle("menu-end", isBeyond);
  menu.toggleAttribute("data-turned", isBeyond);
}, true);

// Opening moves the focus to what is chosen, so that arrow keys work at once.
document.addEventListener("toggle", (event) => {
  if (!event.target.matches?.("details.menu[open]")) return;
  for (const other of document.querySelectorAll("details.menu[open]")) if (other !== event.target) other.open = false;
  event.target.querySelector(".menu-panel :is(input:checked, [autofocus])")?.focus({ preventScroll: true });
}, true);

// --- A tile's menu: a popover, because tiles cut off what is larger than they are ---
const GAP = 6;
const openTileMenu = () => document.querySelector(".tile-menu:popover-open");

// Beside its button, where there is more room: it need not be measured for that. At a place of the page and not of the window,
// so that it stays there when a scroll that brought the button into sight is still on its way.
document.addEventListener("beforetoggle", ({ target, newState }) => {
  if (newState !== "open" || !target.matches(".tile-menu")) return;
  const at = document.querySelector(`[popovertarget="${target.id}"]`).getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const y = at.top > clientHeight / 2 ? ["auto", `${clientHeight - at.top - scrollY + GAP}px`] : [`${at.bottom + scrollY + GAP}px`, "auto"];
  const x = at.left > clientWidth / 2 ? [`${clientWidth - at.right}px`, "auto"] : ["auto", `${at.left}px`];
  target.style.setProperty("--beside", `${y[0]} ${x[0]} ${y[1]} ${x[1]}`);
  // The browser focuses the first of these that is visible as it opens, before it hears another key.
  for (const item of target.querySelectorAll(".menu-item")) item.autofocus = true;
}, true);

// A choice closes it first, so that what opens then gives the focus back to the button.
document.addEventListener("click", (event) => {
  if (event.target.closest?.(".tile-menu .menu-item")) openTileMenu()?.hidePopover();
}, true);

document.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const menu = step && openTileMenu();
  if (!menu?.contains(event.target)) return;
  const items = [...menu.querySelectorAll(".menu-item")].filter((item) => item.checkVisibility());
  items.at((items.indexOf(event.target) + step) % items.length).focus();
  event.preventDefault();
});
