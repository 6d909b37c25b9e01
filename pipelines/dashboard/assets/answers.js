// What a page says in words above its figures, and the rows that it derives from those of the views.
(() => {
  const b = window.breakeven, { state, text, word, money, share, number, day, priceOf, inCurrency, known } = b;
  const chosen = (rows) => (rows ?? []).filter((row) => ["model", "precision", "workload"].every((c) => !state[c] || row[c] === state[c]));
  const answerRow = (group = state.group) => chosen(b.store.answer).find((row) => row.country_group === group);
  const who = (option, gpu, provider) => [word("option", option), gpu && word("gpu", gpu), provider].filter(Boolean).join(" · ");
  function groups() {
    const world = answerRow("world");
    return chosen(b.store.answer).map((row) => ({ ...row, surcharge_share: known(world?.rent_usd_per_million_output_tokens) && known(row.rent_usd_per_million_output_tokens) ? row.rent_usd_per_million_output_tokens / world.rent_usd_per_million_output_tokens - 1 : null, label: word("place", row.country_group) }))
      .sort((x, y) => x.base_usd_per_million_output_tokens - y.base_usd_per_million_output_tokens || (x.country_group < y.country_group ? -1 : 1));
  }

  // --- own or rent: the hour of the server at the reader's own prices -----------------------------------------------------------
  const server = () => b.store.servers?.find((row) => row.hardware === state.server);
  // Where the server stands: what energy, space and salaries cost there, against the place of the published figures.
  const siteOf = (area) => b.store.sites?.find((row) => row.electricity_area === area);
  const site = () => siteOf(state.site);
  function dearerThere(area) {
    const there = site(), here = siteOf(area);
    if (!there || !here) return { energy: 1, space: 1, staff: 1 };
    return { energy: there.electricity_usd_per_kwh / here.electricity_usd_per_kwh, space: there.colocation_usd_per_kw_month / here.colocation_usd_per_kw_month, staff: there.staff_usd_per_fte_year / here.staff_usd_per_fte_year };
  }
  const isElsewhere = (area) => Boolean(site()) && state.site !== area;
  // Parts of an owned hour at the chosen site; they sum to the hour of the server there.
  function parts() {
    const rows = (b.store.parts ?? []).map((row) => {
      const factor = dearerThere(row.electricity_area)[row.cost_part] ?? 1;
      return { ...row, base_fixed_usd_per_hour: row.base_fixed_usd_per_hour * factor, base_variable_usd_per_hour: row.base_variable_usd_per_hour * factor, electricity_area: site() ? state.site : row.electricity_area };
    });
    const whole = {};
    for (const row of rows) whole[row.hardware] = (whole[row.hardware] ?? 0) + row.base_fixed_usd_per_hour;
    return rows.map((row) => ({ ...row, fixed_cost_share: row.base_fixed_usd_per_hour / whole[row.hardware] }));
  }
  const SLIDERS = {
    use: { from: () => 0.3, least: 0.02, most: 1, step: 0.01, says: (value) => share(value) },
    server_usd: { from: (s) => s.server_usd, least: 20000, most: 1000000, step: 1000, says: (value, s) => priceOf(s, value) },
    electricity: { from: (s) => site()?.electricity_usd_per_kwh ?? s.electricity_usd_per_kwh, least: 0.02, most: 0.6, step: 0.005, says: (value, s) => priceOf(s, value) + "/kWh" },
    rent: { from: (s) => s.rented_usd_per_gpu_hour ?? 4, least: 0.2, most: 20, step: 0.01, says: (value, s) => priceOf(s, value) },
  };
  const at = (name) => { const s = server(); return name in state && state[name] !== "" ? Number(state[name]) : SLIDERS[name].from(s); };
  function hour() {
    const s = server();
    if (!s) return null;
    const dearer = at("server_usd") / s.server_usd, kwh = s.electricity_usd_per_kwh ? at("electricity") / s.electricity_usd_per_kwh : 1;
    const { space, staff } = dearerThere(s.electricity_area), grows = { capital: dearer, maintenance: dearer, energy: kwh, space, staff };
    let fixed = 0, variable = 0;
    for (const part of b.store.parts.filter((row) => row.hardware === s.hardware && row.electricity_area === s.electricity_area)) {
      fixed += part.base_fixed_usd_per_hour * grows[part.cost_part];
      variable += part.base_variable_usd_per_hour * grows[part.cost_part];
    }
    const rentOf = (perGpu) => formulas.effective_cloud_usd_per_hour(perGpu * s.gpu_count, "on_demand", 1, s.packing_share);
    const evenUse = (perGpu) => formulas.break_even_utilisation(fixed, variable, rentOf(perGpu));
    return { s, fixed, variable, rentOf, evenUse, use: at("use"), own: (fixed + at("use") * variable) / at("use"), rent: rentOf(at("rent")) };
  }
  // How many sellers stand behind the rented price that the slider starts from, and how far the others lie from it.
  function market(s) {
    const against = (comparator) => b.rowsOf(b.setup.figures[2]).find((row) => row.comparator === comparator);
    const least = against("cheapest"), median = against("market_median");
    if (!least || !median) return [];
    const usdPerGpu = (row) => (row.rented_usd_per_hour / s.gpu_count) * s.packing_share, perGpu = (row) => priceOf(s, usdPerGpu(row));
    // The published break-even is that of the place of the published figures.
    const even = isElsewhere(s.electricity_area) ? hour().evenUse(usdPerGpu(median)) : median.base_break_even_utilisation_share;
    return [text(known(even) ? "say.comparators" : "say.comparators_never", { count: number(median.seller_count, 0), least: perGpu(least), who: least.comparator_provider, median: perGpu(median), even: share(even), days: number(least.price_age_days, 0) }),
      text("say.owned_in", { area: word("place", site() ? state.site : s.electricity_area), tariff: day(site()?.price_as_of_on), days: number(b.store.parts.find((row) => row.hardware === s.hardware)?.price_age_days, 0) })];
  }
  function map() {
    const h = hour();
    if (!h) return [];
    const most = Math.max(2 * at("rent"), 10), rows = [];
    for (let i = 1; i <= 120; i++) {
      const price = (most * i) / 120, use = h.evenUse(price);
      if (use !== null) rows.push({ usd_per_gpu_hour: price, break_even_utilisation_share: use, ceiling: 1, is_case: false, eur_per_usd: h.s.eur_per_usd });
    }
    rows.push({ usd_per_gpu_hour: at("rent"), break_even_utilisation_share: h.use, ceiling: 1, is_case: true, is_hidden: true, eur_per_usd: h.s.eur_per_usd });
    return rows;
  }

  b.derived = { derived_groups: groups, derived_map: map, derived_parts: parts };
  b.sliders = SLIDERS; b.at = at; b.server = server; b.hour = hour;

  // --- in words -------------------------------------------------------------------------------------------------------------------
  const troubled = () => (b.store.health ?? []).filter((row) => row.is_troubled);
  // How many sources were not read, by what became of them.
  const counted = (missing) => {
    const count = {};
    for (const { status } of missing) count[status] = (count[status] ?? 0) + 1;
    const parts = Object.entries(count).sort((x, y) => y[1] - x[1] || (x[0] < y[0] ? -1 : 1)).map(([status, n]) => `${word("status", status)} (${number(n, 0)})`);
    return text("say.missing", { count: number(missing.length, 0), all: number(b.store.health.length, 0), by_status: parts.join(", ") });
  };
  const startsSentence = (line) => line[0].toUpperCase() + line.slice(1);
  const listed = (names, most = 12) => names.slice(0, most).join(", ") + (names.length > most ? ", …" : "");
  const SAY = {
    index() {
      const row = answerRow(), lines = [];
      if (!row) return [text("say.no_answer")];
      const values = {
        server: word("gpu", row.own_server), option: word("option", row.option), gpu: word("gpu", row.gpu), provider: row.provider, country: row.country,
        cost: priceOf(row, row.base_usd_per_million_output_tokens), low: priceOf(row, row.low_usd_per_million_output_tokens), high: priceOf(row, row.high_usd_per_million_output_tokens),
      };
      lines.push(text(`answer.${row.answer}`, values));
      lines.push(row.rival_answer === null ? text("say.no_rival", { group: word("place", row.country_group) })
        : text(row.is_clear ? "say.clear" : "say.unclear", { saving: share(row.saving_share), rival: who(row.rival_option, row.rival_gpu, row.rival_provider), cost: priceOf(row, row.rival_usd_per_million_output_tokens) }));
      const ways = b.rowsOf(b.setup.figures[0]), taken = ways.find((way) => way.option === row.option && way.provider === row.provider);
      if (known(taken?.seller_count)) lines.push(text("say.way_sellers", { option: word("option", row.option), group: word("place", row.country_group), count: number(taken.seller_count, 0) }));
      const steady = row.option === "spot" && ways.find((way) => way.option === "on_demand");
      if (row.option === "spot") lines.push(steady ? text("say.spot", { way: who(steady.option, steady.gpu, steady.provider), cost: priceOf(steady, steady.base_usd_per_million_output_tokens) }) : text("say.spot_alone"));
      if (row.own_server) lines.push(known(row.break_even_utilisation_share)
        ? text("say.from_use", { server: word("gpu", row.own_server), even: share(row.break_even_utilisation_share), use: share(row.utilisation_share), area: word("place", row.own_electricity_area) })
        : text("say.never", { server: word("gpu", row.own_server), use: share(row.utilisation_share) }));
      if (row.seller_count) lines.push(text(known(row.p25_usd_per_gpu_hour) ? "say.sellers" : "say.sellers_few", { count: number(row.seller_count, 0), gpu: word("gpu", row.rent_gpu), sellers: listed((row.sellers ?? "–").split(", ")), least: priceOf(row, row.least_usd_per_gpu_hour), p25: priceOf(row, row.p25_usd_per_gpu_hour), median: priceOf(row, row.median_usd_per_gpu_hour), p75: priceOf(row, row.p75_usd_per_gpu_hour) }));
      else lines.push(text("say.no_sellers", { group: word("place", row.country_group) }));
      if (known(row.even_rent_usd_per_gpu_hour)) lines.push(text("say.flips", { gpu: word("gpu", row.rent_gpu), even: priceOf(row, row.even_rent_usd_per_gpu_hour), now: priceOf(row, row.rent_usd_per_gpu_hour) }));
      lines.push(text("say.age", { days: number(row.price_age_days, 0), oldest: number(row.oldest_price_age_days, 0) }));
      lines.push(text("say.mix"));
      const missing = troubled();
      if (missing.length) lines.push(counted(missing));
      return lines;
    },
    market() {
      const rows = b.rowsOf(b.setup.figures[0]), held = b.rowsOf(b.setup.figures[1]), today = held[held.length - 1];
      if (!today || !rows.length) return [text("say.nobody", { gpu: word("gpu", state.gpu), group: word("place", state.group) })];
      // Quartiles of a few are no quartiles: each is named instead.
      const cheapest = rows.filter((row, i) => ["datacenter", "secure"].includes(row.trust_tier) && rows.findIndex((other) => other.seller === row.seller) === i);
      const few = !known(today.p25_usd_per_gpu_hour) && cheapest.length ? text("say.market_few", { gpu: word("gpu", state.gpu), option: word("option", state.option), group: word("place", state.group), count: number(today.seller_count, 0), sellers: cheapest.map((row) => `${row.seller} (${priceOf(row, row.usd_per_gpu_hour)})`).join(", ") }) : null;
      const ages = rows.map((row) => row.price_age_days).filter(known);
      return [few ?? text("say.market", { gpu: word("gpu", state.gpu), option: word("option", state.option), group: word("place", state.group), count: number(today.seller_count, 0), least: priceOf(today, today.least_usd_per_gpu_hour), p25: priceOf(today, today.p25_usd_per_gpu_hour), median: priceOf(today, today.median_usd_per_gpu_hour), p75: priceOf(today, today.p75_usd_per_gpu_hour), last: share(today.last_known_share) }),
        text("say.market_age", { newest: number(Math.min(...ages), 0), oldest: number(Math.max(...ages), 0) })];
    },
    cost() {
      const rows = b.rowsOf(b.setup.figures[0]);
      if (!rows.length) return [text("say.no_cost")];
      const [best] = [...rows].sort((x, y) => x.base_usd_per_million_output_tokens - y.base_usd_per_million_output_tokens);
      return [text("say.cost", { who: who(best.option, best.gpu, best.provider), cost: priceOf(best, best.base_usd_per_million_output_tokens), low: priceOf(best, best.low_usd_per_million_output_tokens), high: priceOf(best, best.high_usd_per_million_output_tokens), count: number(rows.length, 0), days: number(best.price_age_days, 0) }), text("say.unlike")];
    },
    own() {
      const h = hour();
      if (!h) return [text("say.no_server")];
      const even = h.evenUse(at("rent")), owning = h.own < h.rent;
      return [
        text(owning ? "say.own_wins" : "say.rent_wins", { server: word("gpu", h.s.hardware), use: share(h.use), saving: share(1 - Math.min(h.own, h.rent) / Math.max(h.own, h.rent)) }),
        text("say.hours", { own: priceOf(h.s, h.own), rent: priceOf(h.s, h.rent), packing: share(h.s.packing_share) }),
        known(even) ? text("say.even", { even: share(even, 1) }) : text("say.even_never"),
        ...market(h.s),
      ];
    },
    sovereignty() {
      const first = ["in_the_eu", "in_france"];
      const rows = b.rowsOf(b.setup.figures[0]).filter((row) => row.requirement !== "anywhere" && row.seller_count).map((row) => [first.includes(row.requirement) ? first.indexOf(row.requirement) : first.length, row]).sort((x, y) => x[0] - y[0]).map(([, row]) => row), lines = [];
      for (const row of rows) lines.push(text("say.requirement", { requirement: word("requirement", row.requirement), gpu: word("gpu", row.gpu), option: word("option", row.option), least: priceOf(row, row.least_usd_per_gpu_hour), more: (row.surcharge_ratio >= 0 ? "+" : "") + share(row.surcharge_ratio), provider: row.provider, count: number(row.seller_count, 0), days: number(row.price_age_days, 0) }));
      const unmet = b.rowsOf(b.setup.figures[0]).filter((row) => !row.seller_count).map((row) => word("requirement", row.requirement));
      if (unmet.length) lines.push(text("say.no_requirement", { gpu: word("gpu", state.gpu), option: word("option", state.option), requirements: unmet.join(" · ") }));
      if (rows.some((row) => !row.is_verified)) lines.push(text("say.unverified"));
      for (const row of groups().filter((group) => ["EU", "FR"].includes(group.country_group))) lines.push(text(row.rival_answer === null ? "say.group_alone" : "say.group", { group: word("place", row.country_group), answer: word("answer_word", row.answer), cost: priceOf(row, row.base_usd_per_million_output_tokens), more: known(row.surcharge_share) ? (row.surcharge_share >= 0 ? "+" : "") + share(row.surcharge_share) : "–", count: number(row.seller_count, 0) })
        + (row.answer === "own" && word("place", row.own_electricity_area) !== word("place", row.country_group) ? " " + text("say.owned_elsewhere", { area: word("place", row.own_electricity_area) }) : ""));
      return lines.map(startsSentence);
    },
    history() {
      const rows = b.rowsOf(b.setup.figures[0]), within = (days) => rows.filter((row) => row.moved_days_ago <= days);
      const cuts = rows.filter((row) => row.direction === "cut").length, newest = rows[0];
      return [text("say.moved", { week: number(within(7).length, 0), month: number(within(31).length, 0), year: number(rows.length, 0), cuts: number(cuts, 0) }),
        ...(newest ? [text("say.newest_move", { day: day(newest.moved_on), provider: newest.provider, gpu: word("gpu", newest.gpu), change: (newest.change_ratio > 0 ? "+" : "") + share(newest.change_ratio, 1) })] : [])];
    },
    health() {
      const rows = b.store.health, missing = troubled(), ages = rows.filter((row) => row.age_days > 45);
      const named = [...new Set(missing.map((row) => row.status))].sort();
      const [prices] = b.store.prices, verdict = missing.length ? text("say.with_care", { missing: counted(missing) }) : text("say.all_well");
      return [verdict,
        text("say.prices", { count: number(prices.price_count, 0), current: number(prices.current_count, 0), newest: number(prices.newest_age_days, 0), median: number(prices.median_age_days, 0) }),
        text("say.health", { count: number(rows.length, 0), old: number(ages.length, 0), checks: number(b.store.checks.length, 0), aside: number(b.store.quarantine.reduce((sum, row) => sum + row.quarantined_row_count, 0), 0) }),
        ...named.map((status) => startsSentence(text("say.of_status", { status: word("status", status), sources: listed(missing.filter((row) => row.status === status).map((row) => row.source), 60) })))];
    },
  };
  // A page of figures alone has nothing to say.
  b.say = () => SAY[b.setup.page]?.() ?? [];
})();
