// Rows, words and figures: decoding, formatting, choosing, drawing, tables, downloads. No figure is made up here.
window.breakeven = (() => {
  const setup = window.setup, words = setup.words, french = setup.language === "fr";
  const store = {};

  function decode(packed) {
    const names = Object.keys(packed.columns), rows = [];
    for (let i = 0; i < packed.count; i++) {
      const row = {};
      for (const name of names) {
        const column = packed.columns[name];
        row[name] = Array.isArray(column) ? column[i] : column.d[column.i[i]];
      }
      rows.push(row);
    }
    return rows;
  }
  const put = (data) => { for (const [name, packed] of Object.entries(data)) store[name] = decode(packed); };

  // --- words and figures, as pipelines.platform.locale writes them --------------------------------------------------------------
  const unknown = "–";
  const text = (key, values = {}) => {
    if (!(key in words)) throw new Error("no message " + key);
    return words[key].replace(/\{(\w+)\}/g, (_, place) => values[place] ?? unknown);
  };
  // An accelerator or a server of them by its name: 8x-h100-sxm-80 is 8 × H100 SXM 80 GB. Form "any": the seller does not say.
  const deviceOf = (code) => {
    const [, count, name] = /^(?:(\d+)x-)?(.+)$/.exec(code), parts = name.split("-").filter((part) => part !== "any");
    const size = /^\d+$/.test(parts[parts.length - 1]) && parts.length > 1 ? `\u00a0${parts.pop()}\u00a0${french ? "Go" : "GB"}` : "";
    return (count ? `${count} × ` : "") + parts.join(" ").toUpperCase() + size;
  };
  const countries = new Intl.DisplayNames([setup.language], { type: "region", fallback: "code" });
  const word = (kind, code) => {
    if (code === null || code === undefined || code === "") return unknown;
    if (kind === "gpu") return deviceOf(code);
    const term = kind === "option" && /^commitment_(\d+)_months$/.exec(code);
    if (term && !(`${kind}.${code}` in words)) return text("option.commitment_months", { months: term[1] });
    if (`${kind}.${code}` in words || kind !== "place") return words[`${kind}.${code}`] ?? code;
    // A province is its country's.
    const [, country, part] = /^([A-Z]{2})(?:-([A-Z]{2}))?$/.exec(code) ?? [];
    return country ? countries.of(country) + (part ? ` (${part})` : "") : code;
  };
  const decimalsOf = (value) => {
    if (value === 0) return 2;
    const magnitude = Number(Math.abs(value).toExponential(2).split("e")[1]);
    return magnitude >= 2 ? 0 : Math.max(2, 2 - magnitude);
  };
  const known = (value) => typeof value === "number" && Number.isFinite(value);
  const number = (value, decimals) => {
    if (!known(value)) return unknown;
    const [whole, part] = Math.abs(value).toFixed(decimals ?? decimalsOf(value)).split(".");
    const apart = whole.replace(/\B(?=(\d{3})+$)/g, french ? "\u202f" : ",");
    return (value < 0 ? "-" : "") + apart + (part ? (french ? "," : ".") + part : "");
  };
  const money = (value, currency, decimals) => {
    if (!known(value)) return unknown;
    if (french) return number(value, decimals) + "\u00a0" + (currency === "USD" ? "$US" : "€");
    return (value < 0 ? "-" : "") + (currency === "USD" ? "$" : "€") + number(Math.abs(value), decimals);
  };
  const share = (value, decimals = 0) => (known(value) ? number(value * 100, decimals) + (french ? "\u202f%" : "%") : unknown);
  const months = Array.from({ length: 12 }, (_, i) => words["month." + (i + 1)]);
  const shortMonths = months.map((_, i) => new Intl.DateTimeFormat(setup.language, { month: "short" }).format(new Date(2000, i, 15)));
  const dated = (iso, names) => {
    if (!iso) return unknown;
    const [year, month, date] = iso.split("-").map(Number);
    return `${french && date === 1 ? "1er" : date} ${names[month - 1]} ${year}`;
  };
  const day = (iso) => dated(iso, months);

  // --- the reader's choice, which stands in the address --------------------------------------------------------------------------
  const state = { currency: french ? "EUR" : "USD", ...setup.defaults, ...Object.fromEntries(new URLSearchParams(location.hash.slice(1))) };
  function remember() {
    const hash = "#" + new URLSearchParams(Object.entries(state).filter(([, value]) => value !== "" && value !== undefined)).toString();
    if (hash !== location.hash) history.replaceState(null, "", hash);
    for (const link of document.querySelectorAll("a[data-keeps]")) link.hash = hash;
  }
  const inCurrency = (row, usd) => (usd === null || usd === undefined ? null : state.currency === "USD" ? usd : row.eur_per_usd ? usd * row.eur_per_usd : null);
  const priceOf = (row, usd) => money(inCurrency(row, usd), state.currency);

  const inGroup = (country, group) => {
    if (!group || group === "world") return true;
    const members = (store.groups ?? []).filter((row) => row.country_group === group).map((row) => row.country);
    return members.length ? members.includes(country) : country === group;
  };
  // What no column of the row says (an API has no device) is not filtered by it.
  const fits = (row, where, countries) =>
    Object.entries(where).every(([choice, column]) => !state[choice] || row[column] === state[choice] || row[column] === null || row[column] === "") &&
    (!countries || row.option === "owned" || inGroup(row[countries], state.group));
  const rowsOf = (figure) => {
    const source = store[`${figure.data}:${state.model}`] ?? store[figure.data] ?? breakeven.derived?.[figure.data]?.() ?? [];
    return figure.data.startsWith("derived_") ? source : source.filter((row) => fits(row, figure.where, figure.countries));
  };

  // --- a figure: chart, table, source, downloads ----------------------------------------------------------------------------------
  const kindOf = (figure, column) => figure.columns.find((shown) => shown.name === column)?.kind;
  const valueOf = (figure, row, column) => (kindOf(figure, column) === "usd" ? inCurrency(row, row[column]) : row[column]);
  const labelOf = (figure, row) =>
    figure.label.map((column) => (kindOf(figure, column) && !["text", "usd"].includes(kindOf(figure, column)) ? word(kindOf(figure, column), row[column]) : row[column]))
      .filter((part) => part !== null && part !== undefined && part !== "" && part !== unknown).join(" · ");
  function drawn(figure, rows) {
    let run = 0, before;
    return rows.map((row) => {
      // Each stretch of one option, device and basis is a line of its own: unlike machines are never joined.
      const like = [row.option, row.gpu, row.price_basis].join("|");
      if (like !== before) { run += 1; before = like; }
      const point = { label: figure.label.length ? labelOf(figure, row) : undefined, run: String(run) };
      for (const [field, column] of Object.entries(figure.draws)) if (column !== "run") point[field] = valueOf(figure, row, column);
      return point;
    });
  }
  const cell = (figure, row, { name, kind }) => {
    const value = row[name];
    switch (kind) {
      case "text": case "record": return value === null || value === undefined || value === "" ? unknown : String(value);
      case "day": return dated(value, shortMonths);
      case "days": case "count": return number(value, 0);
      case "share": return share(value);
      case "ratio": return known(value) ? (value > 0 ? "+" : "") + share(value, 1) : unknown;
      case "number": return number(value);
      case "usd": return money(inCurrency(row, value), state.currency);
      case "yes": return typeof value === "boolean" ? text(value ? "say.yes" : "say.no") : unknown;
      default: return word(kind, value);
    }
  };
  // A record is in English: each of its sentences that the page's language has is said in that; the others are marked.
  const sentences = setup.records.map(([said, own]) => {
    const places = [...said.matchAll(/\{(\w+)\}/g)].map(([, place]) => place);
    const pattern = said.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("(.+?)");
    return { pattern: new RegExp(`^${pattern}$`), own, places };
  });
  function ofRecord(said) {
    const parts = said.split("; ").map((part) => {
      for (const { pattern, own, places } of sentences) {
        const found = pattern.exec(part);
        if (found) return own.replace(/\{(\w+)\}/g, (_, place) => found[places.indexOf(place) + 1]);
      }
      return null;
    });
    return parts.includes(null) ? null : parts.join(" ; ");
  }
  const isNumeric = (kind) => ["days", "count", "share", "ratio", "number", "usd"].includes(kind);
  const nameIn = (name) => (state.currency === "EUR" ? name.replace(/usd/g, "eur") : name);
  // A chart runs through time, a table begins with the newest.
  const newestFirst = (figure, rows) => (figure.columns[0].name === "on_date" ? [...rows].reverse() : rows);
  const asCsv = (figure, rows) => {
    const quoted = (value) => (value === null || value === undefined ? "" : /[",\n]/.test(String(value)) ? `"${String(value).replace(/"/g, '""')}"` : String(value));
    const lines = [figure.columns.map(({ name, kind }) => (kind === "usd" ? nameIn(name) : name))];
    for (const row of newestFirst(figure, rows)) lines.push(figure.columns.map(({ name }) => valueOf(figure, row, name)));
    return lines.map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n";
  };
  function download(name, url) {
    const link = document.createElement("a");
    link.href = url; link.download = name; document.body.append(link); link.click(); link.remove();
  }
  // On paper as many as style.css prints.
  const ROWS_SHOWN = 200, ROWS_PRINTED = 15;
  function table(figure, rows) {
    // What a choice fixes is said by the choice: the CSV has it in every row, the table needs the width.
    const fixed = Object.entries(figure.where).filter(([choice]) => state[choice]).map(([, column]) => column);
    const columns = figure.columns.filter(({ name }) => !fixed.includes(name));
    const made = document.createElement("table"), head = made.createTHead().insertRow(), body = made.createTBody();
    made.createCaption().textContent = text(rows.length > ROWS_SHOWN ? "say.rows" : "say.all_rows", { shown: number(ROWS_SHOWN, 0), all: number(rows.length, 0) });
    for (const { name, kind } of columns) {
      const title = document.createElement("th");
      title.scope = "col"; title.textContent = text("column." + name, { currency: state.currency });
      if (isNumeric(kind)) title.className = "number";
      head.append(title);
    }
    for (const row of newestFirst(figure, rows).slice(0, ROWS_SHOWN)) {
      const line = body.insertRow();
      for (const shown of columns) {
        const place = line.insertCell();
        // A long name of code may break after its underscores.
        const recorded = shown.kind === "record" && french && row[shown.name] ? ofRecord(row[shown.name]) : undefined;
        const said = recorded === null ? text("say.recorded", { text: row[shown.name] }) : recorded ?? cell(figure, row, shown);
        if (recorded === null) place.lang = "en";
        place.append(...said.split(said.length > 24 ? /(?<=_)/ : /$^/).flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part])));
        if (isNumeric(shown.kind)) place.className = "number";
        else if (["day", "gpu"].includes(shown.kind)) place.className = "whole";
        else if (place.textContent.length > 48) place.className = "long";
      }
    }
    return made;
  }
  function sources(rows) {
    const named = [...new Set(rows.flatMap((row) => (row.source ? row.source.split(", ") : [])))].sort();
    const dates = rows.map((row) => row.price_as_of_on ?? row.moved_on ?? row.on_date).filter(Boolean).sort();
    const parts = [];
    const [from, to] = [dates[0], dates[dates.length - 1]];
    if (dates.length) parts.push(from === to ? text("say.date", { day: day(from) }) : text("say.dates", { from: day(from), to: day(to) }));
    if (named.length) parts.push(text("say.sources", { sources: named.slice(0, 8).join(", ") + (named.length > 8 ? ", …" : "") }));
    parts.push(text("say.tables", { day: day(setup.as_of_on) }));
    return parts.join(" ");
  }
  // The legend lists what is drawn, in words; what has no colour of its own has that of its class, and nothing is left undrawn.
  const classOf = (code) => {
    const term = /^commitment_(\d+)_months$/.exec(code);
    return term ? `commitment_${term[1] <= 6 ? "up_to_6" : term[1] <= 18 ? "7_to_18" : "over_18"}_months` : code;
  };
  const onlyDrawn = (node, rows, figure, columns) => {
    if (Array.isArray(node)) return node.forEach((part) => onlyDrawn(part, rows, figure, columns));
    if (!node || typeof node !== "object") return;
    if (node.field && node.legend && node.scale?.domain && node.scale.range) {
      const { domain, range } = node.scale, colour = (value) => range[domain.indexOf(value)] ?? range[domain.indexOf(classOf(value))] ?? "#767676";
      const values = [...new Set(rows.map((row) => row[node.field]))].filter((value) => value !== null && value !== undefined && value !== "");
      const rank = (value) => (domain.includes(value) ? domain.indexOf(value) : domain.length);
      values.sort((x, y) => rank(x) - rank(y) || (x < y ? -1 : 1));
      node.scale = { ...node.scale, domain: values, range: values.map(colour) };
      const kind = kindOf(figure, figure.draws[node.field]), named = Object.fromEntries(values.map((value) => [value, word(kind, value)]));
      node.legend = { ...node.legend, columns, labelLimit: 0, labelExpr: `(${JSON.stringify(named)})[datum.value]` };
    }
    Object.values(node).forEach((part) => onlyDrawn(part, rows, figure, columns));
  };
  // In a narrow place the names stand over their bars and not beside them, so that the figures have the width.
  const LABEL_HEIGHT = 18, SHORT_LABEL = 16;
  const namesAbove = (node) => {
    if (Array.isArray(node)) return node.forEach(namesAbove);
    if (!node || typeof node !== "object") return;
    if (node.y?.type === "nominal" && node.y.axis !== null) node.y.axis = { ...node.y.axis, labelLimit: 0, labelAlign: "left", labelBaseline: "bottom", labelPadding: 0, labelOffset: { expr: "-bandwidth('y') * 0.3 || -8" }, ticks: false, domain: false, zindex: 1 };
    Object.values(node).forEach(namesAbove);
  };
  const spoken = (spec) => JSON.parse(JSON.stringify(spec).replaceAll("{currency}", state.currency));
  const formatLocale = french
    ? { decimal: ",", thousands: "\u202f", grouping: [3], currency: ["", "\u00a0€"], percent: "\u202f%" }
    : { decimal: ".", thousands: ",", grouping: [3], currency: ["$", ""] };
  const timeFormatLocale = { dateTime: "%x %X", date: "%d/%m/%Y", time: "%H:%M", periods: ["", ""], days: Array(7).fill(""), shortDays: Array(7).fill(""), months, shortMonths };
  // What has no figure is in the table and not in the chart.
  const MEASURES = ["base", "price", "age_days"], views = {};
  async function draw(figure) {
    const place = document.querySelector(`[data-figure="${figure.name}"]`), rows = rowsOf(figure);
    place.dataset.rows = rows.length;
    place.querySelector(".none").hidden = rows.length > 0;
    place.querySelector(".downloads").hidden = rows.length === 0;
    place.querySelector(".source").textContent = rows.length ? sources(rows) : "";
    place.querySelector(".table").hidden = rows.length === 0;
    place.querySelector(".table").replaceChildren(...(rows.length ? [table(figure, rows.filter((row) => !row.is_hidden))] : []));
    if (rows.length > ROWS_PRINTED) place.querySelector(".table").dataset.printed = text("say.printed", { shown: number(ROWS_PRINTED, 0) });
    else delete place.querySelector(".table").dataset.printed;
    place.querySelector("[data-csv]").onclick = () =>
      download(`${figure.name}.csv`, URL.createObjectURL(new Blob([asCsv(figure, rows)], { type: "text/csv" })));
    const chart = place.querySelector(".chart");
    if (!chart) return;
    chart.hidden = rows.length === 0;
    if (!rows.length) return;
    const title = place.querySelector("h2").textContent;
    const points = drawn(figure, rows).filter((point) => MEASURES.every((field) => !(field in point) || known(point[field]))), spec = { ...spoken(figure.chart), description: title, datasets: { rows: points } };
    const isNarrow = chart.clientWidth < 560;
    onlyDrawn(spec, points, figure, isNarrow ? 2 : 3);
    // A step for each line of the chart, as a height, so that the chart can fit its place in width.
    if (spec.height?.step) {
      const field = (spec.encoding ?? spec.layer[0].encoding).y.field;
      const names = [...new Set(points.map((point) => point[field]))], isAbove = isNarrow && names.some((name) => name?.length > SHORT_LABEL);
      spec.height = (spec.height.step + (isAbove ? LABEL_HEIGHT : 0)) * names.length;
      if (isAbove) namesAbove(spec);
    }
    views[figure.name]?.finalize();
    views[figure.name] = await vegaEmbed(chart, spec, { actions: false, renderer: "svg", formatLocale, timeFormatLocale, config: { timeFormat: "%-d %b %Y", axisTemporal: { format: "%b %Y", tickCount: isNarrow ? 3 : 8, labelOverlap: true }, axisQuantitative: { tickCount: isNarrow ? 4 : 8, labelOverlap: true }, axis: { labelFontSize: 12, titleFontSize: 12 }, legend: { labelFontSize: 12 } } });
    const png = place.querySelector("[data-png]");
    png.onclick = async () => download(`${figure.name}.png`, await views[figure.name].view.toImageURL("png", 2));
  }
  // While they are printed charts are as wide as leaves their words readable on A4, to which style.css scales them.
  const PRINTED_WIDTH = 900;
  const fitTo = (width) => Object.values(views).forEach(({ view }) => view.width(width(view)).run());
  window.addEventListener("beforeprint", () => fitTo(() => PRINTED_WIDTH));
  window.addEventListener("afterprint", () => fitTo((view) => view.container().clientWidth));
  return { put, store, state, setup, words, text, word, number, money, share, day, priceOf, inCurrency, inGroup, fits, rowsOf, asCsv, draw, remember, known, drawn };
})();
