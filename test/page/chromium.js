// Chromium without a window, told what to do over a pipe (the DevTools protocol:
// JSON, each message ended by a zero byte).  Nothing but Node is needed.
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

class Chromium {
	constructor(program) {
		this.home = fs.mkdtempSync(path.join(os.tmpdir(), 'chromium-'));
		this.waiting = new Map();
		this.listeners = [];
		this.next = 1;
		this.errors = '';
		// it reaches this machine alone
		this.process = spawn(program, [
			'--headless=new', '--remote-debugging-pipe', '--no-sandbox', '--disable-gpu',
			'--disable-dev-shm-usage', '--no-first-run', '--disable-extensions',
			'--disable-background-networking', '--disable-component-update', '--hide-scrollbars',
			'--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1', `--user-data-dir=${this.home}`, 'about:blank',
		], { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'], env: { ...process.env, HOME: this.home } });
		this.process.stderr.on('data', (data) => { this.errors += data; });
		this.process.on('exit', (code) => {
			for (const { reject } of this.waiting.values())
				reject(new Error(`Chromium has ended (${code}): ${this.errors.slice(-2000)}`));
			this.waiting.clear();
		});
		let rest = Buffer.alloc(0);
		this.process.stdio[4].on('data', (data) => {
			rest = Buffer.concat([rest, data]);
			for (let end; (end = rest.indexOf(0)) >= 0; rest = rest.subarray(end + 1))
				this.take(JSON.parse(rest.subarray(0, end).toString()));
		});
		this.process.stdio[3].on('error', () => {});
	}

	take(message) {
		const asked = this.waiting.get(message.id);

		if (asked === undefined) {
			this.listeners.forEach((listener) => listener(message));
			return;
		}
		this.waiting.delete(message.id);
		if (message.error)
			asked.reject(new Error(`${asked.method}: ${message.error.message}`));
		else
			asked.resolve(message.result);
	}

	send(method, params = {}, sessionId = undefined) {
		const id = this.next++;

		return new Promise((resolve, reject) => {
			this.waiting.set(id, { resolve, reject, method });
			this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + '\0');
		});
	}

	async open() {
		const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
		const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
		const page = new Page(this, sessionId);

		this.listeners.push((message) => {
			if (message.sessionId === sessionId)
				page.hear(message.method, message.params);
		});
		for (const domain of ['Page', 'Runtime', 'Log', 'Network'])
			await page.send(`${domain}.enable`);
		return page;
	}

	async close() {
		const ended = new Promise((resolve) => this.process.on('exit', resolve));

		this.send('Browser.close').catch(() => {});
		await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5000))]);
		this.process.kill('SIGKILL');
		await ended;
		fs.rmSync(this.home, { recursive: true, force: true, maxRetries: 10 });
	}
}

class Page {
	constructor(browser, sessionId) {
		this.browser = browser;
		this.sessionId = sessionId;
		this.messages = [];		// of the console
		this.requests = [];		// addresses that were asked for
	}

	send(method, params) {
		return this.browser.send(method, params, this.sessionId);
	}

	hear(method, params) {
		if (method === 'Runtime.consoleAPICalled')
			this.messages.push(params.args.map((arg) => arg.value || arg.description).join(' '));
		else if (method === 'Runtime.exceptionThrown')
			this.messages.push(params.exceptionDetails.text);
		else if (method === 'Log.entryAdded')
			this.messages.push(params.entry.text);
		else if (method === 'Network.requestWillBeSent')
			this.requests.push(params.request.url);
		else if (method === 'Page.javascriptDialogOpening')
			this.messages.push(`dialog: ${params.message}`);
		else if (method === 'Page.loadEventFired' && this.loaded)
			this.loaded();
	}

	// scheme: light or dark
	async look(width, scheme, height = 900) {
		await this.send('Emulation.setDeviceMetricsOverride',
			{ width, height, deviceScaleFactor: 1, mobile: width < 500 });
		await this.send('Emulation.setEmulatedMedia',
			{ features: [{ name: 'prefers-color-scheme', value: scheme }] });
	}

	async go(url) {
		const loaded = new Promise((resolve) => { this.loaded = resolve; });

		this.messages = [];
		this.requests = [];
		await this.send('Page.navigate', { url });
		await loaded;
	}

	// what an expression, or the promise that it is, comes to
	async ask(expression) {
		const { result, exceptionDetails } = await this.send('Runtime.evaluate',
			{ expression, awaitPromise: true, returnByValue: true, userGesture: true });

		if (exceptionDetails)
			throw new Error(exceptionDetails.exception.description);
		return result.value;
	}

	async key(key, code, keyCode, text = undefined) {
		await this.send('Input.dispatchKeyEvent',
			{ type: 'keyDown', key, code, windowsVirtualKeyCode: keyCode, text });
		await this.send('Input.dispatchKeyEvent', { type: 'keyUp', key, code, windowsVirtualKeyCode: keyCode });
	}

	// the whole page, or its first so many pixels
	async picture(file, most = Infinity) {
		const { cssContentSize } = await this.send('Page.getLayoutMetrics');
		const clip = { x: 0, y: 0, width: cssContentSize.width, scale: 1, height: Math.min(cssContentSize.height, most) };
		const { data } = await this.send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true, clip });

		fs.writeFileSync(file, Buffer.from(data, 'base64'));
	}
}

module.exports = { Chromium };
