// The pictures that the composer starts from and goes by: chosen in their panels, named by a link; the one to start from
// also dragged onto the composer, or pasted as an address.

const ADDRESS = /\/gallery\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\//i;
const TYPES = ["text/uri-list", "text/plain"];
const KINDS = ["source", "reference"]; // what the parts' ids begin with

const by = (id) => document.getElementById(id);
const shown = {}; // kind -> whose thumbnail is in the chip

function changed(kind) {
  by(kind).dispatchEvent(new Event("input", { bubbles: true }));
}

async function thumbOf(kind, picture) {
  const response = await fetch(`${by(`${kind}-list`).dataset.address}?media=${picture}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  const holder = document.createElement("template");
  holder.innerHTML = response?.ok ? await response.text() : "";
  return holder.content.querySelector("[data-source]")?.dataset.thumb;
}

/** Shows what the form says; a picture that may not be used is taken away. */
async function show(kind, thumb) {
  if (!by(kind)) return;
  if (kind === "reference" && !offerGuides()) by(kind).value = "";
  const picture = by(kind).value;
  const strength = by(`${kind}-strength`);
  strength.disabled = picture === "";
  by(`${kind}-percent`).textContent = `${Math.round(strength.value * 100)} %`;
  by(`${kind}-chosen`).hidden = picture === "";
  const chip = by(`${kind}-chip`);
  chip.lastElementChild.textContent = picture ? chip.dataset.some : chip.dataset.none;
  if (picture === (shown[kind] ?? "")) return;
  shown[kind] = picture;
  chip.querySelector("img")?.remove();
  chip.querySelector("svg").toggleAttribute("hidden", false);
  if (!picture) return;
  const url = thumb ?? (await thumbOf(kind, picture));
  if (by(kind).value !== picture) return;
  if (!url) {
    by(kind).value = "";
    changed(kind);
    return show(kind);
  }
  by(`${kind}-thumb`).src = url;
  const small = new Image(22, 22);
  small.src = url;
  small.alt = "";
  by(`${kind}-icon`).append(small);
  chip.querySelector("svg").toggleAttribute("hidden", true);
}

/** Leaves what the chosen model can take over from a picture; whether there is anything. */
function offerGuides() {
  const model = document.querySelector("#composer-form input[name=checkpoint]:checked");
  const guides = model?.dataset.guides.split(" ").filter(Boolean) ?? [];
  const select = by("reference-as");
  for (const option of select.options) option.hidden = option.disabled = !guides.includes(option.value);
  if (select.selectedOptions[0]?.disabled ?? true) select.value = guides[0] ?? "";
  select.disabled = by("reference").value === "" || !guides.length;
  by("reference-none").hidden = guides.length > 0;
  by("reference-room").hidden = guides.length === 0;
  return guides.length > 0;
}

const showAll = () => KINDS.forEach((kind) => show(kind));

function take(kind, picture, thumb) {
  by(kind).value = picture;
  show(kind, thumb);
  changed(kind);
}

document.addEventListener("click", ({ target }) => {
  for (const kind of KINDS) {
    const choice = target.closest?.(`#${kind}-list [data-source]`);
    if (choice) {
      take(kind, choice.dataset.source, choice.dataset.thumb);
      by(`${kind}-strength`).focus();
    } else if (target.closest?.(`#${kind}-away`)) {
      take(kind, "");
      by(`${kind}-chip`).focus();
    }
  }
});
document.addEventListener("input", ({ target }) => {
  if (target.id === "source-strength") show("source");
  else if (target.id === "reference-strength" || target.name === "checkpoint") show("reference");
});
document.addEventListener("atelier:source", showAll);
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id !== "composer") return;
  for (const kind of KINDS) delete shown[kind];
  showAll();
});

// --- Dragged and pasted: a picture of the gallery carries its address ---

const addressIn = (data) => TYPES.map((type) => data.getData(type).match(ADDRESS)?.[1]).find(Boolean);
const composer = () => by("composer");

document.addEventListener("dragover", (event) => {
  if (!event.target.closest?.("#composer") || !event.dataTransfer.types.includes("text/uri-list")) return;
  event.preventDefault();
  composer().classList.add("is-dropping");
});
document.addEventListener("dragleave", (event) => event.target.closest?.("#composer") && composer().classList.remove("is-dropping"));
document.addEventListener("drop", (event) => {
  composer()?.classList.remove("is-dropping");
  const picture = event.target.closest?.("#composer") && addressIn(event.dataTransfer);
  if (!picture) return;
  event.preventDefault();
  take(event.target.closest("#reference-menu") ? "reference" : "source", picture);
});
document.addEventListener("paste", (event) => {
  const picture = event.target.id === "prompt" && addressIn(event.clipboardData);
  if (!picture) return;
  event.preventDefault();
  take("source", picture);
});
showAll();
