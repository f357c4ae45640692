
/* missing_symbol: the script of every page.  It sorts, copies and folds; without it nothing is missing. */
(function () {
	'use strict';

	function button(text, act) {
		var b = document.createElement('button');
		b.type = 'button';
		b.textContent = text;
		b.addEventListener('click', act);
		return b;
	}

	/* numbers by their value, what has none last; all else as text */
	function compare(a, b, number, down) {
		if (!number)
			return down ? b.localeCompare(a) : a.localeCompare(b);
		a = parseFloat(a);
		b = parseFloat(b);
		if (isNaN(a) || isNaN(b))
			return isNaN(a) - isNaN(b);
		return down ? b - a : a - b;
	}

	function sort(table, head) {
		var body = table.tBodies[0];
		var column = head.cellIndex;
		var number = head.classList.contains('n');
		var was = head.getAttribute('aria-sort');
		var down = was ? was === 'ascending' : number;
		var rows = Array.from(body.rows).map(function (row) {
			return { row: row, key: row.cells[column].textContent.trim() };
		});
		rows.sort(function (x, y) {
			return compare(x.key, y.key, number, down);
		});
		rows.forEach(function (r) { body.appendChild(r.row); });
		Array.from(head.parentNode.cells).forEach(function (h) { h.removeAttribute('aria-sort'); });
		head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
	}

	document.querySelectorAll('table[data-sortable]').forEach(function (table) {
		table.setAttribute('data-sorted', '');
		Array.from(table.tHead.rows[0].cells).forEach(function (head) {
			var b = button(head.textContent, function () { sort(table, head); });
			head.replaceChildren(b);
		});
	});

	function select(node) {
		var range = document.createRange();
		range.selectNodeContents(node);
		getSelection().removeAllRanges();
		getSelection().addRange(range);
	}

	document.querySelectorAll('.remedy').forEach(function (remedy) {
		var code = remedy.querySelector('code');
		var b = button('Copy', function () {
			function say(text) {
				b.textContent = text;
				setTimeout(function () { b.textContent = 'Copy'; }, 3000);
			}
			function selected() {
				select(code);
				say('Selected: copy it with the keyboard');
			}
			if (navigator.clipboard)
				navigator.clipboard.writeText(code.textContent).then(function () { say('Copied'); }, selected);
			else
				selected();
		});
		b.className = 'plain';
		b.setAttribute('aria-live', 'polite');
		remedy.appendChild(b);
	});

	document.querySelectorAll('section').forEach(function (section) {
		var units = Array.from(section.querySelectorAll('details.unit'));
		function all(open) {
			return function () { units.forEach(function (u) { u.open = open; }); };
		}
		if (units.length < 2)
			return;
		var p = document.createElement('p');
		p.className = 'note';
		[button('Open all', all(true)), button('Close all', all(false))].forEach(function (b) {
			b.className = 'plain';
			p.append(b, ' ');
		});
		units[0].before(p);
	});

	/* on paper nothing is folded */
	addEventListener('beforeprint', function () {
		document.querySelectorAll('details').forEach(function (d) { d.open = true; });
	});
})();
