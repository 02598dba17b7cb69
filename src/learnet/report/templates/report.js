// Click a column's heading to sort by it, again to turn it round. Rows of the table's foot stay where they are, empty cells come last.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  [...(table.tHead?.rows[0].cells ?? [])].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.replaceChildren(button);
    const value = row => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
    const empty = row => ["", "–"].includes(value(row));
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      const order = (a, b) => {
        if (empty(a) || empty(b)) return empty(a) - empty(b);
        const [x, y] = [value(a), value(b)];
        const found = isNaN(x) || isNaN(y) ? x.localeCompare(y, "en", { numeric: true }) : x - y;
        return up ? found : -found;
      };
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      body.append(...[...body.rows].sort(order));
    });
  });
}
