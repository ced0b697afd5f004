// <details class="menu">: closes on Escape, a press beside it, focus that leaves it, and a choice made in it.

const open = () => document.querySelector("details.menu[open]");

function close(menu, { refocus }) {
  menu.open = false;
  if (refocus) menu.querySelector("summary").focus();
}

document.addEventListener("pointerdown", (event) => {
  const menu = open();
  if (menu && !menu.querySelector(".menu-panel").contains(event.target) && !menu.querySelector("summary").contains(event.target)) {
    close(menu, { refocus: false });
  }
});

document.addEventListener("keydown", (event) => {
  const menu = open();
  if (!menu) return;
  const inRadio = event.target.matches?.("input[type=radio]") && menu.contains(event.target);
  // Enter in a radio group would send the whole form; here it means "this one".
  if (event.key === "Escape" || (inRadio && event.key === "Enter")) {
    event.preventDefault();
    event.stopPropagation();
    close(menu, { refocus: true });
  }
}, true);

// A press on a label focuses what is around the menu first (<main>, say): that is not leaving. Closing waits for the event
// to be over, because Chromium 156 crashes when a <details> closes under a focus that is still moving.
document.addEventListener("focusin", (event) => {
  const menu = open();
  if (!menu || menu.contains(event.target) || event.target.contains(menu)) return;
  setTimeout(() => close(menu, { refocus: false }));
});

// A click on a choice closes; arrow keys also fire "click" on radios, but with no pointer behind them (detail is 0).
document.addEventListener("click", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  if (!menu || event.detail === 0) return;
  if (event.target.closest("[data-closes], .menu-item:has(input[type=radio])")) setTimeout(() => close(menu, { refocus: true }));
});

// Opening moves the focus to what is chosen, so that arrow keys work at once.
document.addEventListener("toggle", (event) => {
  if (!event.target.matches?.("details.menu[open]")) return;
  for (const other of document.querySelectorAll("details.menu[open]")) if (other !== event.target) other.open = false;
  event.target.querySelector(".menu-panel :is(input:checked, [autofocus])")?.focus({ preventScroll: true });
}, true);
