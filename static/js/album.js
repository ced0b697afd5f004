// An album that may be arranged: pictures are dragged, or moved with their buttons. The server keeps the order.
import "./activity.js";
import { rememberPlace } from "./place.js";

rememberPlace();
const rows = document.getElementById("album-pictures");
const url = rows?.dataset.move;

let dragged;
let isMoving = false; // one's own changes are told to oneself too: their answer is enough

// Takes the rows from a whole page of the album: they are laid out for the new order.
async function show(response) {
  const page = response.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : undefined;
  const fresh = page?.getElementById("album-pictures");
  if (!fresh) return location.reload();
  const media = document.activeElement?.closest(".tile")?.dataset.media;
  const shift = document.activeElement?.dataset?.shift;
  rows.replaceChildren(...fresh.children);
  if (shift) rows.querySelector(`[data-media="${media}"] [data-shift="${shift}"]`)?.focus();
}

async function move(media, before) {
  const body = new URLSearchParams({ media, before: before ?? "" });
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  isMoving = true;
  await show(await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": token } }));
  isMoving = false;
}

document.addEventListener("atelier:album.changed", async ({ detail }) => {
  if (detail.album !== rows?.dataset.album || dragged || isMoving) return;
  await show(await fetch(location.href));
});

if (url) {
  rows.addEventListener("dragstart", (event) => {
    dragged = event.target.closest(".tile");
    dragged?.classList.add("is-dragged");
    event.dataTransfer.effectAllowed = "move";
  });
  rows.addEventListener("dragover", (event) => {
    const over = event.target.closest(".tile");
    if (!dragged || !over) return;
    event.preventDefault();
    for (const tile of rows.querySelectorAll(".is-target")) tile.classList.remove("is-target");
    if (over !== dragged) over.classList.add("is-target");
  });
  rows.addEventListener("drop", (event) => {
    const over = event.target.closest(".tile");
    if (!dragged || !over || over === dragged) return;
    event.preventDefault();
    move(dragged.dataset.media, over.dataset.media);
  });
  rows.addEventListener("dragend", () => {
    for (const tile of rows.querySelectorAll(".is-target, .is-dragged")) tile.classList.remove("is-target", "is-dragged");
    dragged = undefined;
  });
  rows.addEventListener("click", (event) => {
    const button = event.target.closest("[data-shift]");
    if (!button) return;
    const tile = button.closest(".tile");
    if (button.dataset.shift === "-1") {
      if (tile.previousElementSibling) move(tile.dataset.media, tile.previousElementSibling.dataset.media);
    } else if (tile.nextElementSibling) {
      move(tile.dataset.media, tile.nextElementSibling.nextElementSibling?.dataset.media);
    }
  });
}
