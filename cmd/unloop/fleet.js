"use strict";
// Sorts, searches and filters the table. Without it the page is the whole table.
(() => {
	const main = document.querySelector("main");
	const table = document.querySelector("table");
	const search = document.querySelector("#search");
	const latest = document.querySelector("#latest");
	const shown = document.querySelector("#shown");
	const heads = [...table.tHead.rows[0].cells];
	const states = [...document.querySelectorAll(".states button")];
	const compare = new Intl.Collator(document.documentElement.lang, {numeric: true, sensitivity: "base"}).compare;
	const rows = [...table.tBodies].map(body => ({body, cells: body.rows[0].cells, text: null}));
	let wanted = "";

	const fold = text => text.normalize("NFKC").toLowerCase();

	function filter() {
		const words = fold(search.value).split(/\s+/).filter(word => word);
		const counts = {};
		let n = 0;
		for (const row of rows) {
			row.text ??= fold(row.body.textContent);
			const state = row.body.dataset.outcome;
			const found = (!latest?.checked || "newest" in row.body.dataset) && words.every(word => row.text.includes(word));
			if (found) counts[state] = (counts[state] || 0) + 1;
			const show = found && (!wanted || wanted === state);
			if (row.body.hidden === show) row.body.hidden = !show;
			n += show;
		}
		for (const button of states) button.querySelector("b").textContent = counts[button.dataset.outcome] || 0;
		shown.textContent = main.dataset.shown.replace("{shown}", n).replace("{of}", rows.length);
	}

	function sort(column, down) {
		const number = heads[column].dataset.sort === "number";
		const sign = down ? -1 : 1;
		const keyed = rows.map(row => ({row, key: row.cells[column].dataset.key ?? row.cells[column].textContent.trim()}));
		keyed.sort((a, b) => {
			if (!a.key || !b.key) return !a.key - !b.key; // what is not known stands below
			return sign * (number ? a.key - b.key : compare(a.key, b.key));
		});
		table.append(...keyed.map(one => one.row.body));
		heads.forEach((head, i) => i === column ? head.setAttribute("aria-sort", down ? "descending" : "ascending") : head.removeAttribute("aria-sort"));
	}

	function button(words, action) {
		const made = document.createElement("button");
		made.type = "button";
		made.append(...words);
		made.addEventListener("click", action);
		return made;
	}

	heads.forEach((head, i) => head.append(button(head.childNodes, () => sort(i, head.getAttribute("aria-sort") === "ascending"))));
	for (const {body, cells} of rows) {
		const toggle = button([cells[0].querySelector(".name")], () => {
			const open = body.classList.toggle("open");
			toggle.setAttribute("aria-expanded", open);
			body.querySelector("details").open = open;
		});
		toggle.className = "toggle";
		toggle.setAttribute("aria-expanded", "false");
		cells[0].prepend(toggle);
	}
	for (const state of states) {
		state.disabled = false;
		state.addEventListener("click", () => {
			wanted = wanted === state.dataset.outcome ? "" : state.dataset.outcome;
			for (const other of states) other.setAttribute("aria-pressed", other.dataset.outcome === wanted);
			filter();
		});
	}
	search.addEventListener("input", filter);
	latest?.addEventListener("change", filter);
	document.documentElement.classList.add("live");
	filter();
})();
