// node test.js PAGES MODULES MANUAL: the pages in Chromium
//
//	PAGES	a directory of pages that pages.sql made
//	MODULES	what npm installed: html-validate, axe-core; or nothing
//	MANUAL	doc/page.md
//
// The server is where libpq connects to by itself.
'use strict';
const { spawnSync } = require('child_process');
const fs = require('fs');
const http = require('http');
const path = require('path');
const { Chromium } = require('./chromium.js');

const [directory, modules, manual] = process.argv.slice(2);
const widths = [360, 1600];
const schemes = ['light', 'dark'];
let passed = 0;
let failed = 0;
let skipped = 0;

function ok(what, right, ...details) {
	console.log(`${right ? 'ok      ' : 'FAILED  '} ${what}`);
	if (right) {
		passed++;
		return true;
	}
	failed++;
	details.forEach((detail) => {
		const text = typeof detail === 'string' ? detail : JSON.stringify(detail, null, 1);
		console.log(text.slice(0, 4000).replace(/^/gm, '    '));
	});
	return false;
}

function same(what, found, expected) {
	return ok(what, JSON.stringify(found) === JSON.stringify(expected), { found, expected });
}

function skip(what, why) {
	skipped++;
	console.log(`SKIPPED  ${what}: ${why}`);
}

// what is wrong with how a page is laid out
const LAYOUT = `(() => {
	const wrong = [];
	const wide = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth > wide)
		wrong.push('the page scrolls sideways: ' + document.documentElement.scrollWidth);
	for (const part of document.querySelectorAll('section, h1, h2, header, nav, table, .entry, .tiles > div, details.unit, .remedy')) {
		const box = part.getBoundingClientRect();
		if (!part.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || box.width <= 0 || box.height <= 0)
			wrong.push('cannot be seen: ' + part.outerHTML.slice(0, 80));
		if (box.left < 0 || box.right > wide + 1)
			wrong.push('sticks out: ' + part.outerHTML.slice(0, 80) + ' ' + box.left + ' to ' + box.right);
	}
	for (const text of document.querySelectorAll('.tiles dt, .tiles dd, h1, section:not(#summary) h2, h3, td, th, .entry p, .entry dd, .lanes .n'))
		if (text.checkVisibility() && text.scrollWidth > text.clientWidth + 1 && getComputedStyle(text).display !== 'inline')
			wrong.push('wider than its place: ' + text.outerHTML.slice(0, 80));
	for (const lane of document.querySelectorAll('details[open] .lanes li > svg'))
		if (lane.getBoundingClientRect().width < 100)
			wrong.push('a narrow lane: ' + lane.getBoundingClientRect().width);
	return wrong.slice(0, 10);
})()`;

// what is wrong with the document itself
const DOCUMENT = `(() => {
	const wrong = [];
	const levels = Array.from(document.querySelectorAll('h1, h2, h3, h4')).map((h) => Number(h.tagName[1]));
	if (levels[0] !== 1 || levels.filter((l) => l === 1).length !== 1)
		wrong.push('not one h1, first');
	levels.forEach((l, i) => { if (i > 0 && l > levels[i - 1] + 1) wrong.push('a level is left out: h' + l); });
	for (const section of document.querySelectorAll('section'))
		if (section.firstElementChild.tagName !== 'H2')
			wrong.push('a section without heading: ' + section.id);
	for (const svg of document.querySelectorAll('svg'))
		if (!svg.closest('[aria-hidden]') && !svg.parentElement.closest('svg') &&
			!(svg.getAttribute('role') === 'img' && svg.querySelector(':scope > title')?.textContent))
			wrong.push('a picture without title: ' + svg.outerHTML.slice(0, 80));
	for (const link of document.querySelectorAll('a'))
		if (!document.getElementById(decodeURIComponent(link.hash.slice(1))))
			wrong.push('a link to nowhere: ' + link.outerHTML);
	if (document.querySelector('img, iframe, object, embed, form, link, base, audio, video'))
		wrong.push('an element that loads something');
	for (const element of document.querySelectorAll('*'))
		for (const attribute of element.attributes)
			if (attribute.name === 'style' || attribute.name.startsWith('on'))
				wrong.push('an attribute: ' + attribute.name);
	return wrong.slice(0, 10);
})()`;

async function check_axe(view, name, source) {
	await view.ask(source);
	const found = await view.ask(`axe.run(document, { preload: false, resultTypes: ['violations'] }).then((r) =>
		r.violations.map((v) => ({ id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + ' ' + (n.any[0] || n.none[0] || n.all[0] || {}).message), n: v.nodes.length })))`);
	const serious = found.filter((v) => v.impact === 'serious' || v.impact === 'critical');

	ok(`${name}: axe-core finds nothing serious`, serious.length === 0, serious);
	found.filter((v) => !serious.includes(v)).forEach((v) => console.log(`         (${v.impact}: ${v.help}, ${v.n} times)`));
}

async function check_sort(view) {
	const column = (n) => view.ask(`Array.from(document.querySelectorAll('#shapes tbody tr')).map((r) => r.cells[${n}].textContent)`);
	const up = (values) => values.every((v, i) => i === 0 || parseFloat(values[i - 1]) <= parseFloat(v));
	const down = (values) => up(values.slice().reverse());
	const before = await column(3);
	const sorted = () => view.ask(`Array.from(document.querySelectorAll('#shapes th')).map((h) => h.getAttribute('aria-sort'))`);

	ok('sorting: not by calls to begin with', !down(before) && !up(before), before);
	await view.ask(`document.querySelectorAll('#shapes th button')[3].click()`);
	ok('sorting: by calls, the most first', down(await column(3)), await column(3));
	same('sorting: it says so', (await sorted())[3], 'descending');
	await view.ask(`document.querySelectorAll('#shapes th button')[3].focus()`);
	await view.key('Enter', 'Enter', 13, '\r');
	ok('sorting: with the keyboard, the least first', up(await column(3)), await column(3));
	same('sorting: it says so, once', (await sorted()).filter((s) => s), ['ascending']);
	same('sorting: no row is lost', (await column(3)).sort(), before.sort());
	await view.ask(`document.querySelectorAll('#shapes th button')[7].click()`);
	const texts = await column(7);
	same('sorting: by text', texts, texts.slice().sort((a, b) => a.trim().localeCompare(b.trim())));
}

async function check_copy(browser, view) {
	const text = await view.ask(`document.querySelector('.remedy code').textContent`);

	ok('copying: there is what would help', /^CREATE INDEX ON public\."book <b>&amp;" \(author\);$/.test(text), text);
	await browser.send('Browser.grantPermissions', { permissions: ['clipboardReadWrite', 'clipboardSanitizedWrite'] });
	await view.send('Page.bringToFront');
	await view.ask(`document.querySelector('.remedy button').click()`);
	await view.ask(`new Promise((r) => setTimeout(r, 200))`);
	same('copying: it says so', await view.ask(`document.querySelector('.remedy button').textContent`), 'Copied');
	same('copying: it is there', await view.ask(`navigator.clipboard.readText()`), text);
	// as on a page that did not come by https
	await view.ask(`Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })`);
	await view.ask(`document.querySelector('.remedy button').click()`);
	same('copying: else it is selected', await view.ask(`String(getSelection())`), text);
}

// as the plans' rows are
async function check_plans(view) {
	const plans = await view.ask(`Array.from(document.querySelectorAll('.plan')).map((plan) => Array.from(plan.children).map((node) => ({
		level: Number(node.ariaLevel), left: parseFloat(getComputedStyle(node.firstElementChild).paddingLeft),
		rows: Number(/^([0-9]+) rows/.exec(node.querySelector('.n').textContent)?.[1]), share: parseFloat(node.querySelectorAll('.n')[1]?.textContent),
		bar: parseFloat(node.querySelector('rect')?.getAttribute('width')), colour: node.querySelector('rect') && getComputedStyle(node.querySelector('rect')).fill,
		off: /times as (many|few)/.test(node.textContent), mark: !!node.querySelector('path.off') })))`);
	const nodes = plans.flat();
	const colours = new Set(nodes.map((n) => n.colour));

	ok('plans: there are some, of nodes below nodes', plans.length > 5 && nodes.some((n) => n.level > 2), plans.length);
	same('plans: further down is further right', plans.filter((p) => p.some((n, i) => i > 0 && n.level > p[i - 1].level && n.left <= p[i - 1].left)), []);
	same('plans: bars are as wide as rows', plans.filter((p) => {
		const most = Math.max(...p.map((n) => n.rows));
		return p.some((n) => Math.abs(n.bar - Math.max(n.rows * 100 / most, 0.2)) > 0.02);
	}), []);
	ok('plans: colours are of shares', colours.size > 2 && nodes.every((n) => nodes.every((m) => n.colour === m.colour || Math.abs(n.share - m.share) > 0)), [...colours]);
	ok('plans: what is off is marked, and said', nodes.some((n) => n.off) && nodes.some((n) => !n.off) && nodes.every((n) => n.off === n.mark), nodes);
}

async function check_keyboard(view) {
	const seen = [];

	for (let i = 0; i < 300; i++) {
		await view.key('Tab', 'Tab', 9);
		const at = await view.ask(`(() => {
			const e = document.activeElement;
			const box = e.getBoundingClientRect();
			return e === document.body ? null : { top: Math.round(box.top + scrollY), text: e.textContent.slice(0, 30), tag: e.tagName,
				outline: getComputedStyle(e).outlineStyle, lane: !!e.closest('.lanes') };
		})()`);
		if (at === null)
			break;
		seen.push(at);
	}
	ok('keyboard: links, units, lanes and buttons are reached', seen.length > 20 && seen.length < 300, seen);
	same('keyboard: in the order of the page', seen.filter((s, i) => i > 0 && s.top < seen[i - 1].top - 30), []);
	same('keyboard: it is seen where one is', seen.filter((s) => s.outline === 'none'), []);
	same('keyboard: a lane is one stop', seen.filter((s) => s.lane).length,
		await view.ask(`document.querySelectorAll('details[open] .lanes a').length`));
}

async function check_application(browser, view, url) {
	const label = `</script><img src=x onerror="document.title = 'hacked'">`;

	const labels = await view.ask(`Array.from(document.querySelectorAll('.unit h3')).map((h) => h.textContent)`);

	ok('a label stays text', labels.includes(label), labels);
	same('nothing of it has run', await view.ask('document.title'), 'Profile of a session');
	ok('characters are what they were', labels.includes('mark \u00E9\u20AC\u{1F600} \uFFFDdne'), labels);
	same('a run is one mark with its count', await view.ask(`Array.from(document.querySelectorAll('rect.m + text')).map((t) => t.textContent)`), ['20\u00D7']);
	ok('what has failed has a cross', await view.ask(`document.querySelectorAll('.lanes rect.e + svg path.x').length === 1`));
	same('its sections', await view.ask(`Array.from(document.querySelectorAll('section')).map((s) => s.id)`),
		['summary', 'timeline', 'shapes', 'n-plus-one', 'advice', 'findings', 'slow', 'failures', 'lost']);
	await check_plans(view);
	await check_sort(view);
	await check_copy(browser, view);
	await view.go(url);
	await check_keyboard(view);
	await view.ask(`Array.from(document.querySelectorAll('button')).find((b) => b.textContent === 'Close all').click()`);
	same('folding: all units', await view.ask(`document.querySelectorAll('#timeline .unit[open]').length`), 0);
	same('folding: no other section', await view.ask(`document.querySelectorAll('#slow .unit[open]').length`), 3);
	await view.ask(`document.querySelector('.unit summary').focus()`);
	await view.key(' ', 'Space', 32, ' ');
	same('folding: one of them, with the keyboard', await view.ask(`document.querySelectorAll('#timeline .unit[open]').length`), 1);
	await view.ask(`dispatchEvent(new Event('beforeprint'))`);
	same('on paper nothing is folded', await view.ask(`document.querySelectorAll('details:not([open])').length`), 0);
	await view.send('Emulation.setEmulatedMedia', { media: 'print', features: [{ name: 'prefers-color-scheme', value: 'dark' }] });
	same('nor dark, nor with buttons', await view.ask(`(() => [getComputedStyle(document.querySelector('#timeline')).backgroundColor,
		Array.from(document.querySelectorAll('button.plain')).filter((b) => b.checkVisibility()).length])()`), ['rgb(255, 255, 255)', 0]);
	const { data } = await view.send('Page.printToPDF', { printBackground: true });
	ok('it can be printed', Buffer.from(data, 'base64').subarray(0, 5).toString() === '%PDF-' && data.length > 20000, data.length);
}

// without its script nothing is missing
async function check_bare(view, url) {
	const text = `document.body.innerText.replace(/\\s+/g, ' ')`;

	await view.look(1600, 'light');
	await view.go(url);
	const buttons = await view.ask(`Array.from(document.querySelectorAll('button.plain')).map((b) => b.remove()), ${text}`);
	await view.send('Emulation.setScriptExecutionDisabled', { value: true });
	await view.go(url);
	same('without its script there are no buttons', await view.ask(`document.querySelectorAll('button').length`), 0);
	same('without its script the text is the same', await view.ask(text), buttons);
	await view.ask(`document.querySelector('.unit summary').focus()`);
	await view.key(' ', 'Space', 32, ' ');
	ok('without its script units fold', await view.ask(`!document.querySelector('.unit').open`));
	await view.send('Emulation.setScriptExecutionDisabled', { value: false });
}

// behind a site's own policy, with what the manual says that it must allow
async function check_policy(view, file) {
	const hashes = fs.readFileSync(manual, 'utf8').match(/'sha256-[A-Za-z0-9+\/]{43}='/g) || [];
	const asked = [];
	const server = http.createServer((request, response) => {
		asked.push(request.url);
		response.writeHead(request.url === '/' ? 200 : 404, {
			'content-type': 'text/html; charset=utf-8',
			'content-security-policy': `default-src 'self'; script-src 'self' ${hashes.join(' ')}; style-src 'self' ${hashes.join(' ')}`,
		});
		response.end(request.url === '/' ? fs.readFileSync(file) : '');
	});

	same('the manual names two hashes', new Set(hashes).size, 2);
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	await view.look(1600, 'light');
	await view.go(`http://127.0.0.1:${server.address().port}/`);
	await view.ask(`new Promise((r) => setTimeout(r, 300))`);
	same('behind a policy: no message', view.messages, []);
	ok('behind a policy: style and script work', await view.ask(`document.querySelectorAll('th button').length > 0 &&
		getComputedStyle(document.querySelector('.tiles')).display === 'grid'`));
	same('behind a policy: nothing else is asked for', asked, ['/']);
	server.close();
}

async function validate(names) {
	let found;

	try {
		found = require(path.join(modules, 'html-validate'));
	} catch (error) {
		skip('the HTML validator', 'html-validate could not be installed');
		return;
	}
	const validator = new found.HtmlValidate(new found.StaticConfigLoader({
		extends: ['html-validate:standard'],
		rules: { 'long-title': 'error', 'no-inline-style': 'error', 'heading-level': 'error', 'no-dup-id': 'error' },
	}));
	for (const name of names) {
		const report = await validator.validateString(fs.readFileSync(path.join(directory, name), 'utf8'));
		const messages = report.results.flatMap((r) => r.messages.map((m) => `${m.line}:${m.column} ${m.ruleId}: ${m.message}`));

		ok(`${name}: valid HTML`, report.valid, [...new Set(messages)].slice(0, 20).join('\n'));
	}
}

// the manual's snippets, word for word
function check_snippets() {
	const run = (program, args) => spawnSync(program, args, { encoding: 'utf8', timeout: 120000 });
	const django = run('/usr/bin/python3', ['-c', 'import django, psycopg2']);

	if (django.status !== 0)
		skip("the manual's middleware for Django", 'there is no Django or psycopg2 (packages python3-django, python3-psycopg2)');
	else {
		const { stdout, stderr } = run('/usr/bin/python3',
			[path.join(__dirname, 'django_page.py'), manual, path.join(__dirname, '..', 'perl')]);
		same("the manual's middleware for Django", stdout.trim().split('\n'), [
			'False /books?profile the books [] []',
			'True /books the books [] []',
			"True /books?profile <!DOCTYPE html> ['/books'] ['6']",
			"True /other?profile <!DOCTYPE html> ['/other'] ['6']"]) || console.log(stderr);
	}
	if (!fs.existsSync(path.join(modules, 'express')) || !fs.existsSync(path.join(modules, 'pg'))) {
		skip("the manual's route for Express", 'express and pg could not be installed');
		return;
	}
	const { stdout, stderr } = run('node', [path.join(__dirname, 'express.js'), modules, manual]);
	same("the manual's route for Express", stdout.trim().split('\n'), [
		'books text/html; charset=utf-8 <!DOCTYPE html> /debug/profile/books 6',
		'broken text/html; charset=utf-8 broken undefined undefined',
		'books text/html; charset=utf-8 <!DOCTYPE html> /debug/profile/books 6']) || console.log(stderr);
}

async function check_page(view, name, axe) {
	const url = `file://${path.join(directory, name)}`;
	const grounds = new Set();

	for (const width of widths) {
		for (const scheme of schemes) {
			const what = `${name}, ${width} px, ${scheme}`;

			await view.look(width, scheme);
			await view.go(url);
			same(`${what}: no message on the console`, view.messages, []);
			same(`${what}: nothing is asked for`, view.requests.filter((r) => r !== url), []);
			same(`${what}: all of it can be seen`, await view.ask(LAYOUT), []);
			grounds.add(await view.ask(`getComputedStyle(document.body).backgroundColor`));
			if (axe !== null && name !== 'large.html')
				await check_axe(view, what, axe);
			await view.picture(path.join(directory, `${name}-${width}-${scheme}.png`), 4000);
		}
	}
	same(`${name}: light and dark`, grounds.size, 2);
	same(`${name}: the document`, await view.ask(DOCUMENT), []);
}

(async () => {
	const names = fs.readdirSync(directory).filter((name) => name.endsWith('.html')).sort();
	const browser = new Chromium('chromium');
	const view = await browser.open();
	let axe = null;

	ok('there are pages', names.length >= 4, names);
	await validate(names);
	check_snippets();
	try {
		axe = fs.readFileSync(path.join(modules, 'axe-core', 'axe.min.js'), 'utf8');
	} catch (error) {
		skip('axe-core', 'it could not be installed');
	}
	for (const name of names)
		await check_page(view, name, axe);
	const application = path.join(directory, 'application.html');
	await view.look(1600, 'light');
	await view.go(`file://${application}`);
	await check_application(browser, view, `file://${application}`);
	await check_bare(view, `file://${application}`);
	await check_policy(view, application);
	const large = fs.statSync(path.join(directory, 'large.html')).size;
	ok('ten thousand statements are under 3 MB', large < 3 * 1024 * 1024, large);
	const times = fs.readFileSync(path.join(directory, 'large.ms'), 'utf8').trim().split('\n').map(Number);
	ok('and made in under 2 s', times.length === 3 && Math.min(...times) < 2000, times);
	console.log(`         (${large} bytes, ${Math.min(...times)} ms)`);
	await browser.close();
	console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
	process.exit(failed > 0 ? 1 : 0);
})().catch((error) => {
	console.error(error);
	process.exit(1);
});
