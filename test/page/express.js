// node express.js MODULES MANUAL: the manual's route for Express, in a small
// application
'use strict';
const fs = require('fs');
const http = require('http');
const path = require('path');

const [modules, manual] = process.argv.slice(2);
const express = require(path.join(modules, 'express'));
const { Pool } = require(path.join(modules, 'pg'));
const snippet = /```js\n([^]*?)```/.exec(fs.readFileSync(manual, 'utf8'))[1];
const profiled = new Function(`${snippet}; return profiled;`)();

async function list_books(client) {
	for (let book = 0; book < 6; book++)
		await client.query('SELECT price FROM book WHERE id = $1', [book]);
}

const pool = new Pool({ host: process.env.PGHOST, max: 1 });
const app = express();
app.get('/debug/profile/books', profiled(pool, list_books));
app.get('/debug/profile/broken', profiled(pool, () => { throw new Error('broken'); }));
app.use((error, request, response, next) => { response.status(500).send(error.message); });
const server = app.listen(0, '127.0.0.1', async () => {
	for (const name of ['books', 'broken', 'books']) {
		const page = await new Promise((resolve) => http.get(
			{ host: '127.0.0.1', port: server.address().port, path: `/debug/profile/${name}` },
			(answer) => {
				let text = '';
				answer.on('data', (data) => { text += data; }).on('end', () => resolve(`${answer.headers['content-type']} ${text}`));
			}));
		console.log(name, page.slice(0, 40).replace(/\n.*/s, ''), /<h3>([^<]*)<\/h3>/.exec(page)?.[1], />(\d+)&#xD7;<\/text>/.exec(page)?.[1]);
	}
	await pool.end();
	server.close();
});
