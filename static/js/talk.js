// Talking about a picture: pins on it, names after an @, and the conversation of others as it goes on.

const stage = document.querySelector("[data-stage]");
const talk = () => document.getElementById("comments");
let isAiming = false;

function place(pin, x, y) {
  pin.style.setProperty("--x", x);
  pin.style.setProperty("--y", y);
}

function drawPins() {
  for (const old of stage.querySelectorAll(".pin:not(.is-new)")) old.remove();
  for (const thread of talk()?.querySelectorAll("[data-pin]") ?? []) {
    const pin = document.createElement("a");
    pin.className = "pin";
    pin.id = `pin-${thread.dataset.pin}`;
    pin.href = `#${thread.id}`;
    pin.textContent = thread.dataset.pin;
    pin.title = thread.querySelector(".comment-text")?.textContent ?? "";
    place(pin, thread.dataset.x, thread.dataset.y);
    stage.append(pin);
  }
}

const newPin = () => stage.querySelector(".pin.is-new");

// Every form that may carry a point gets it: the comment's, and the reviewer's decision.
function point(x, y) {
  let pin = newPin();
  if (!pin) {
    pin = document.createElement("button");
    pin.type = "button";
    pin.className = "pin is-new";
    pin.textContent = "+";
    stage.append(pin);
    pin.addEventListener("keydown", nudge);
  }
  x = Math.min(1, Math.max(0, x));
  y = Math.min(1, Math.max(0, y));
  place(pin, x, y);
  for (const input of document.querySelectorAll("[data-pin-x]")) input.value = x.toFixed(4);
  for (const input of document.querySelectorAll("[data-pin-y]")) input.value = y.toFixed(4);
  return pin;
}

function unpoint() {
  newPin()?.remove();
  for (const input of document.querySelectorAll("[data-pin-x], [data-pin-y]")) input.value = "";
}

function nudge(event) {
  const step = event.shiftKey ? 0.1 : 0.02;
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  const by = moves[event.key];
  if (by) {
    event.preventDefault();
    event.stopPropagation();
    const style = event.target.style;
    point(Number(style.getPropertyValue("--x")) + by[0], Number(style.getPropertyValue("--y")) + by[1]);
  } else if (event.key === "Enter" || event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") aim(false);
    document.getElementById("say")?.focus();
  }
}

function aim(on) {
  isAiming = on;
  stage.classList.toggle("is-aiming", on);
  for (const button of document.querySelectorAll("[data-pin-button]")) {
    button.ariaPressed = String(on);
    const words = button.querySelector("span");
    words.textContent = on ? words.dataset.off : words.dataset.on;
  }
  for (const help of document.querySelectorAll("[data-pin-help]")) help.hidden = !on;
  if (!on) unpoint();
}

if (stage) {
  drawPins();
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-pin-button]")) return;
    aim(!isAiming);
    if (isAiming) point(0.5, 0.5).focus({ preventScroll: true });
  });
  stage.addEventListener("click", (event) => {
    if (!isAiming || event.target.closest(".pin:not(.is-new)")) return;
    event.preventDefault();
    const box = stage.getBoundingClientRect();
    point((event.clientX - box.x) / box.width, (event.clientY - box.y) / box.height);
    document.getElementById("say")?.focus({ preventScroll: true });
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "comments") return;
    aim(false);
    drawPins();
  });
}

// What others say and decide appears, unless one is writing there: then it waits until that is sent. Each part asks for
// itself: of requests without a source, htmx lets only the last one go.
const isWriting = (part) => [...part.querySelectorAll("textarea")].some((area) => area.value !== area.defaultValue);
document.addEventListener("atelier:media.talked", ({ detail }) => {
  const shown = talk();
  if (shown?.dataset.media !== detail.media) return;
  const review = document.getElementById("review");
  if (review && !isWriting(review) && !review.querySelector(":popover-open") && !review.contains(document.activeElement)) {
    htmx.ajax("GET", location.href, { source: review, target: review, select: "#review", swap: "outerHTML" });
  }
  if (!isWriting(shown)) htmx.ajax("GET", `/gallery/${detail.media}/comments/`, { source: shown, target: shown, swap: "outerHTML" });
});

// After an @: the names of those who can see the picture. Arrow keys choose, Enter and Tab take, Escape leaves it.
let list;
function closeList() {
  list?.remove();
  list = undefined;
}
function suggest(area) {
  closeList();
  const typed = /(?:^|\s)@([\p{L}\p{N} .'-]{0,40})$/u.exec(area.value.slice(0, area.selectionStart));
  if (!typed) return;
  const names = (talk()?.dataset.names ?? "").split("|").filter((name) => name && name.toLowerCase().startsWith(typed[1].toLowerCase()));
  if (!names.length || names.some((name) => name.toLowerCase() === typed[1].toLowerCase())) return;
  list = document.createElement("ul");
  list.className = "mention-list";
  list.role = "listbox";
  for (const [index, name] of names.slice(0, 6).entries()) {
    const option = document.createElement("li");
    option.role = "option";
    option.ariaSelected = String(index === 0);
    option.textContent = name;
    option.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      take(area, name, typed[1].length);
    });
    list.append(option);
  }
  area.after(list);
}
function take(area, name, length) {
  area.setRangeText(`${name} `, area.selectionStart - length, area.selectionStart, "end");
  closeList();
  area.focus();
}
document.addEventListener("input", (event) => event.target.matches?.("[data-mentions]") && suggest(event.target));
document.addEventListener("focusout", (event) => event.target.matches?.("[data-mentions]") && closeList());
document.addEventListener("keydown", (event) => {
  if (!list || !event.target.matches?.("[data-mentions]")) return;
  const chosen = list.querySelector('[aria-selected="true"]');
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const next = event.key === "ArrowDown" ? chosen.nextElementSibling ?? list.firstElementChild : chosen.previousElementSibling ?? list.lastElementChild;
    chosen.ariaSelected = "false";
    next.ariaSelected = "true";
  } else if (event.key === "Enter" || event.key === "Tab") {
    event.preventDefault();
    const typed = /@([^@]*)$/.exec(event.target.value.slice(0, event.target.selectionStart));
    take(event.target, chosen.textContent, typed[1].length);
  } else if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    closeList();
  }
}, true);
