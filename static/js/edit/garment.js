// The garment that is tried on: its picture is chosen in the form, and a model that can take it over comes with it.
export class Garment {
  constructor(form) {
    this.form = form;
    form.addEventListener("click", ({ target }) => {
      const choice = target.closest("[data-garments] [data-source]");
      if (choice) this.#take(choice);
    });
  }

  /** Leaves a model that cannot take anything over for the first that can. */
  show() {
    const { checkpoint } = this.form.elements;
    const able = checkpoint.querySelector("[data-dresses]");
    if (able && !checkpoint.selectedOptions[0].matches("[data-dresses]")) checkpoint.value = able.value;
  }

  #take(choice) {
    this.form.elements.garment.value = choice.dataset.source;
    this.form.querySelector("[data-garment-thumb]").src = choice.dataset.thumb;
    this.form.querySelector("[data-garment-chosen]").hidden = false;
    for (const one of this.form.querySelectorAll("[data-garments] [data-source]")) one.ariaPressed = String(one === choice);
    this.form.elements.garment_scale.focus();
  }
}
