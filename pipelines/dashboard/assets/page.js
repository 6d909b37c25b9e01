// The page itself: selectors, sliders, and drawing again when a choice changes.
(() => {
  const b = window.breakeven, { state, setup, store, text, word } = b;
  const KINDS = { gpu: "gpu", server: "gpu", workload: "workload", option: "option", direction: "direction", group: "place", site: "place" };
  const FIRST_SITES = ["US", "EU27_2020", "FR", "DE"];
  const FIRST_GROUPS = ["world", "EU", "US", "FR"];

  const firstOf = (first, values) => [...first.filter((value) => values.includes(value)), ...values.filter((value) => !first.includes(value))];
  function valuesOf(choice, before) {
    if (choice === "currency") return ["USD", "EUR"];
    if (choice === "server") return store.servers.map((row) => row.hardware);
    if (choice === "site") return firstOf(FIRST_SITES, store.sites.map((row) => row.electricity_area));
    const values = new Set();
    for (const figure of setup.figures) {
      const column = choice === "group" ? "country_group" : figure.where[choice];
      const source = figure.data.startsWith("derived_") ? store.answer : store[figure.data];
      if (choice === "group" && figure.countries) { values.add("world"); for (const row of store.groups) values.add(row.country_group); continue; }
      if (!column || !source) continue;
      for (const row of source) {
        const fits = before.every((c) => !figure.where[c] || !state[c] || row[figure.where[c]] === state[c]);
        if (fits && row[column] !== null && row[column] !== "") values.add(row[column]);
      }
    }
    const sorted = [...values].sort();
    return choice === "group" ? firstOf(FIRST_GROUPS, sorted) : sorted;
  }

  function fill() {
    const asked = setup.choices.filter((choice) => ["model", "precision"].includes(choice));
    for (const select of document.querySelectorAll("#choices select")) {
      const choice = select.name, values = valuesOf(choice, asked.slice(0, Math.max(0, asked.indexOf(choice))));
      const open = setup.optional.includes(choice);
      if (!values.includes(state[choice]) && !(open && !state[choice])) state[choice] = open ? "" : values.includes(setup.defaults[choice]) ? setup.defaults[choice] : values[0] ?? "";
      select.replaceChildren(...(open ? [new Option(text("say.all"), "")] : []), ...values.map((value) => new Option(KINDS[choice] ? word(KINDS[choice], value) : value, value)));
      select.value = state[choice] ?? "";
    }
  }

  function slide() {
    const s = b.server();
    for (const input of document.querySelectorAll("#sliders input")) {
      const slider = b.sliders[input.name];
      Object.assign(input, { min: slider.least, max: slider.most, step: "any" });
      if (s) input.value = b.at(input.name);
      const said = s ? slider.says(b.at(input.name), s) : "";
      document.querySelector(`output[data-of="${input.name}"]`).textContent = said;
      input.setAttribute("aria-valuetext", said);
    }
  }

  const loaded = new Set();
  const load = (model) => new Promise((done) => {
    if (!setup.by_model.length || !model || loaded.has(model)) return done();
    loaded.add(model);
    const script = document.createElement("script");
    script.src = `${setup.root}data/${setup.page}.${model.replace(/[^A-Za-z0-9.-]/g, "_")}.js`;
    script.onload = script.onerror = () => done();
    document.head.append(script);
  });

  function say() {
    document.getElementById("answer").replaceChildren(...b.say().map((line) => Object.assign(document.createElement("p"), { textContent: line })));
  }
  let drawing = Promise.resolve();
  function show() {
    document.body.dataset.ready = "false";
    drawing = drawing.then(async () => {
      fill();
      await load(state.model);
      b.remember();
      if (document.getElementById("sliders")) slide();
      say();
      for (const figure of setup.figures) await b.draw(figure);
      document.body.dataset.ready = "true";
    });
    return drawing;
  }

  b.start = () => {
    document.getElementById("choices")?.addEventListener("change", (event) => {
      state[event.target.name] = event.target.value;
      // Another server, and another place, has prices of its own.
      for (const name of { server: ["server_usd", "electricity", "rent"], site: ["electricity"] }[event.target.name] ?? []) delete state[name];
      show();
    });
    document.getElementById("choices")?.addEventListener("submit", (event) => event.preventDefault());
    const sliders = document.getElementById("sliders");
    sliders?.addEventListener("input", (event) => { state[event.target.name] = event.target.value; slide(); say(); });
    sliders?.addEventListener("change", show);
    sliders?.addEventListener("reset", (event) => { event.preventDefault(); for (const name of Object.keys(b.sliders)) delete state[name]; show(); });
    window.addEventListener("hashchange", () => { Object.assign(state, Object.fromEntries(new URLSearchParams(location.hash.slice(1)))); show(); });
    show();
  };
})();
