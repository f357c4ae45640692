// node picture.js PAGE FILE: README's picture, a page to the end of its
// statements as a PNG
'use strict';
const { Chromium } = require('./chromium.js');

(async () => {
	const [page, file] = process.argv.slice(2);
	const browser = new Chromium('chromium');
	const view = await browser.open();

	await view.look(1240, 'light');
	await view.go(`file://${page}`);
	await view.picture(file, await view.ask(`document.querySelector('#shapes').getBoundingClientRect().bottom + scrollY + 16`));
	await browser.close();
})().catch((error) => {
	console.error(error);
	process.exit(1);
});
