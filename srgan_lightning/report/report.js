"use strict";
(() => {
  const pictures = JSON.parse(document.getElementById("pictures").textContent);
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  /** Sorts a table's rows by a column; empty values stay last. */
  function sortBy(header) {
    const table = header.closest("table");
    const column = header.cellIndex;
    const first = header.querySelector("button").dataset.order;
    const other = first === "ascending" ? "descending" : "ascending";
    const order = header.getAttribute("aria-sort") === first ? other : first;
    const sign = order === "ascending" ? 1 : -1;
    const number = (text) => ({ inf: Infinity, "-inf": -Infinity })[text] ?? Number(text);
    const compare = (a, b) => {
      if (a === "" || b === "") return (a === "") - (b === "");
      const [x, y] = [number(a), number(b)];
      if (Number.isNaN(x) || Number.isNaN(y)) return sign * a.localeCompare(b);
      return x === y ? 0 : sign * (x < y ? -1 : 1);
    };
    const value = (row) => row.cells[column].dataset.value;
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => compare(value(a), value(b)));
    table.tBodies[0].append(...rows);
    for (const cell of header.parentElement.cells) cell.setAttribute("aria-sort", "none");
    header.setAttribute("aria-sort", order);
  }
  for (const button of document.querySelectorAll("table.methods thead button")) {
    button.addEventListener("click", () => sortBy(button.closest("th")));
  }

  const LARGEST = 16; // screen pixels for each of the picture's
  const STEP = 1.25;
  const CLOSER = 4; // what a double click does
  let scrolled = 0; // a wheel that is scrolling the page must not start to zoom
  addEventListener("scroll", () => { scrolled = performance.now(); }, { passive: true });

  /** Two pictures on one stage: they share zoom, place and the border between them. */
  class Viewer {
    constructor(figure) {
      this.figure = figure;
      this.size = { width: Number(figure.dataset.width), height: Number(figure.dataset.height) };
      this.stage = figure.querySelector(".stage");
      this.divider = figure.querySelector(".divider");
      this.readout = figure.querySelector("output");
      this.zoom = 1; // of the fitted picture
      this.x = this.y = 0; // of the picture's corner, in stages
      this.split = 0.5;
      this.pointers = new Map();
      for (const select of figure.querySelectorAll("select")) {
        select.addEventListener("change", () => this.choose(select));
        this.choose(select);
      }
      for (const button of figure.querySelectorAll("[data-zoom]")) {
        const factor = { in: STEP ** 2, out: STEP ** -2, fit: 0 }[button.dataset.zoom];
        button.addEventListener("click", () => this.zoomBy(factor));
      }
      this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      this.stage.addEventListener("dblclick", (event) => this.doubleClick(event));
      this.stage.addEventListener("keydown", (event) => this.key(event));
      this.stage.addEventListener("pointerdown", (event) => this.press(event));
      this.stage.addEventListener("pointermove", (event) => this.move(event));
      for (const end of ["pointerup", "pointercancel"]) {
        this.stage.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
      }
      new ResizeObserver(() => this.fit()).observe(figure);
      addEventListener("resize", () => this.fit());
      this.fit();
    }

    layer(side) {
      return this.figure.querySelector(`.layer[data-side="${side}"]`);
    }

    /** Shows what a select box says. */
    choose(select) {
      const side = select.dataset.side;
      const option = select.selectedOptions[0];
      const image = this.layer(side).firstElementChild;
      image.alt = `${side}: ${option.text}`;
      image.onload = () => this.draw();
      image.src = pictures[option.dataset.picture];
      this.figure.querySelector(`.tag[data-side="${side}"]`).textContent = option.text;
      const chosen = [...this.figure.querySelectorAll("select")].map((s) => s.value);
      for (const row of this.figure.querySelectorAll("tr[data-index]")) {
        row.hidden = !chosen.includes(row.dataset.index);
      }
    }

    /** Gives the stage its size: whole multiples of the picture's, where they fit. */
    fit() {
      const style = getComputedStyle(this.figure);
      const room = this.figure.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      const { width, height } = this.size;
      const ratio = Math.min(room / width, (0.8 * innerHeight) / height);
      const scale = ratio >= 1 ? Math.floor(ratio) : ratio;
      this.stage.style.width = `${width * scale}px`;
      this.stage.style.height = `${height * scale}px`;
      this.scale = scale;
      this.largest = Math.max(LARGEST / scale, CLOSER);
      this.draw();
    }

    draw() {
      this.zoom = clamp(this.zoom, 1, this.largest);
      this.x = clamp(this.x, 1 - this.zoom, 0);
      this.y = clamp(this.y, 1 - this.zoom, 0);
      const shown = this.size.width * this.scale * this.zoom * devicePixelRatio;
      for (const image of this.figure.querySelectorAll("img")) {
        image.style.transform = `translate(${this.x * 100}%, ${this.y * 100}%) scale(${this.zoom})`;
        image.classList.toggle("magnified", shown > image.naturalWidth);
      }
      const percent = this.split * 100;
      this.layer("right").style.clipPath = `inset(0 0 0 ${percent}%)`;
      this.divider.style.left = `${percent}%`;
      this.divider.setAttribute("aria-valuenow", Math.round(percent));
      for (const tag of this.figure.querySelectorAll(".tag")) {
        const share = tag.dataset.side === "left" ? this.split : 1 - this.split;
        tag.classList.toggle("away", share < 0.05);
      }
      this.stage.classList.toggle("zoomed", this.zoom > 1);
      this.readout.textContent = `${(this.scale * this.zoom).toFixed(2).replace(/\.?0+$/, "")}×`;
    }

    /** Zooms by a factor (0: fits), holding a point of the stage, in stages, where it is. */
    zoomBy(factor, x = 0.5, y = 0.5) {
      const zoom = factor ? clamp(this.zoom * factor, 1, this.largest) : 1;
      this.x = x - ((x - this.x) * zoom) / this.zoom;
      this.y = y - ((y - this.y) * zoom) / this.zoom;
      this.zoom = zoom;
      this.draw();
    }

    moveBy(x, y) {
      this.x += x;
      this.y += y;
      this.draw();
    }

    splitAt(split) {
      this.split = clamp(split, 0, 1);
      this.draw();
    }

    /** Where an event is on the stage, in stages. */
    at(event) {
      const box = this.stage.getBoundingClientRect();
      return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
    }

    wheel(event) {
      const out = event.deltaY > 0;
      if ((out && this.zoom === 1) || performance.now() - scrolled < 250) return;
      event.preventDefault();
      const { x, y } = this.at(event);
      this.zoomBy(STEP ** -clamp(event.deltaY / 50, -1, 1), x, y);
    }

    doubleClick(event) {
      const { x, y } = this.at(event);
      if (this.zoom > 1) this.zoomBy(0);
      else this.zoomBy(CLOSER, x, y);
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const slides = event.target === this.divider;
      const act = (slides ? this.slideKeys() : {})[event.key] ?? this.stageKeys()[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    }

    slideKeys() {
      const by = (share) => () => this.splitAt(this.split + share);
      return {
        ArrowLeft: by(-0.02), ArrowDown: by(-0.02), ArrowRight: by(0.02), ArrowUp: by(0.02),
        PageDown: by(-0.1), PageUp: by(0.1),
        Home: () => this.splitAt(0), End: () => this.splitAt(1),
      };
    }

    stageKeys() {
      const keys = {
        "+": () => this.zoomBy(STEP), "=": () => this.zoomBy(STEP),
        "-": () => this.zoomBy(1 / STEP), 0: () => this.zoomBy(0),
      };
      if (this.zoom === 1) return keys; // arrows scroll the page
      return {
        ...keys,
        ArrowLeft: () => this.moveBy(0.1, 0), ArrowRight: () => this.moveBy(-0.1, 0),
        ArrowUp: () => this.moveBy(0, 0.1), ArrowDown: () => this.moveBy(0, -0.1),
      };
    }

    press(event) {
      if (event.button !== 0) return;
      this.stage.setPointerCapture(event.pointerId);
      const slides = event.target === this.divider;
      this.pointers.set(event.pointerId, { ...this.at(event), slides });
    }

    move(event) {
      const before = this.pointers.get(event.pointerId);
      if (!before) return;
      const now = this.at(event);
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
      this.pointers.set(event.pointerId, { ...now, slides: before.slides });
      if (before.slides) {
        this.splitAt(now.x);
      } else if (other) {
        const gap = (point) => Math.hypot(point.x - other.x, point.y - other.y);
        this.zoomBy(gap(now) / gap(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
      } else {
        this.moveBy(now.x - before.x, now.y - before.y);
      }
    }
  }
  for (const figure of document.querySelectorAll(".viewer")) new Viewer(figure);
})();
