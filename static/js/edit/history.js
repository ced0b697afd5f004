// What was done, as a list of operations with a place in it. Undo moves the place; doing something drops what was undone.

const MOST = 400;

export class History {
  #done = [];
  #undone = [];

  constructor(changed) {
    this.changed = changed;
  }

  get operations() {
    return this.#done;
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  add(operation) {
    this.#done.push(operation);
    if (this.#done.length > MOST) this.#done.shift();
    this.#undone = [];
    this.changed();
  }

  undo() {
    if (!this.canUndo) return;
    this.#undone.push(this.#done.pop());
    this.changed();
  }

  redo() {
    if (!this.canRedo) return;
    this.#done.push(this.#undone.pop());
    this.changed();
  }
}
