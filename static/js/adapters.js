// LoRAs in the composer: ticks and weights on the page, one field `adapters` ("slug:weight,slug:weight") in the form.
const rows = (form) => [...form.querySelectorAll("[data-adapters] .adapter")];
const tick = (row) => row.querySelector("[data-adapter]");

/** Shows what the field says, and only what goes with the family of the chosen model. */
export function showAdapters(form, family) {
  const field = form.elements.adapters;
  if (!field) return;
  const chosen = new Map(field.value.split(",").filter(Boolean).map((part) => part.split(":")));
  for (const row of rows(form)) {
    row.hidden = row.dataset.familyOnly !== family;
    if (!tick(row)) continue;
    const weight = chosen.get(tick(row).dataset.adapter);
    tick(row).checked = weight !== undefined && !row.hidden;
    const slider = row.querySelector("[data-weight]");
    if (weight) slider.value = weight;
    row.querySelector("output").value = slider.value;
  }
  field.closest("fieldset").hidden = rows(form).every((row) => row.hidden);
  write(form);
}

function write(form) {
  const ticked = rows(form).filter((row) => tick(row)?.checked && !row.hidden);
  form.elements.adapters.value = ticked.map((row) => `${tick(row).dataset.adapter}:${row.querySelector("[data-weight]").value}`).join(",");
}

// Before the composer's own listener remembers the set-up.
document.addEventListener(
  "input",
  ({ target }) => {
    const row = target.closest?.("[data-adapters] .adapter");
    if (!row) return;
    if (target.matches("[data-weight]")) tick(row).checked = true;
    write(target.form);
  },
  { capture: true },
);

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-insert]");
  if (!button) return;
  const { prompt } = button.form.elements;
  prompt.value = [prompt.value.trim(), button.dataset.insert].filter(Boolean).join(", ");
  prompt.dispatchEvent(new Event("input", { bubbles: true }));
});
