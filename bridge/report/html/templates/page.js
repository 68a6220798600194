"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const obligations = all(".obligation");
  const search = document.getElementById("search");
  const expand = document.getElementById("expand");
  const shown = document.getElementById("shown");
  const nothing = document.getElementById("nothing");
  const wanted = new Set();

  const filter = () => {
    const words = search.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const item of obligations) {
      const fits = (!wanted.size || wanted.has(item.dataset.verdict)) &&
        words.every((word) => item.dataset.search.includes(word));
      item.hidden = !fits;
      count += fits;
    }
    for (const theorem of all(".theorem")) {
      theorem.hidden = !theorem.querySelector(".obligation:not([hidden])");
    }
    nothing.hidden = count > 0 || !obligations.length;
    shown.textContent = `${count} of ${obligations.length} obligations shown`;
  };

  // Without scripts the chips are a legend; with them, they filter.
  for (const chip of all(".chip")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = chip.className;
    button.setAttribute("aria-pressed", "false");
    button.append(...chip.childNodes);
    button.addEventListener("click", () => {
      const verdict = chip.dataset.verdict;
      const on = !wanted.delete(verdict);
      if (on) wanted.add(verdict);
      button.setAttribute("aria-pressed", String(on));
      filter();
    });
    chip.replaceWith(button);
  }

  for (const box of all(".replay")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const code = box.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    box.append(button);
  }

  expand.addEventListener("click", () => {
    const open = expand.getAttribute("aria-pressed") !== "true";
    for (const item of obligations) item.open = open;
    expand.setAttribute("aria-pressed", String(open));
    expand.textContent = open ? "Close all" : "Open all";
  });

  search.addEventListener("input", filter);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      filter();
    }
  });

  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.hidden || target.closest(".theorem[hidden]")) {
      search.value = "";
      wanted.clear();
      for (const chip of all(".chip")) chip.setAttribute("aria-pressed", "false");
      filter();
    }
    if (target.tagName === "DETAILS") target.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  document.querySelector(".tools").hidden = false;
  reveal();
})();
