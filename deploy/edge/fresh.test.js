'use strict';
// Tests of fresh.js and request.js: each alone, and both around an edge that is made up here. It
// does what the documentation says of CloudFront; it is not CloudFront.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const vm = require('node:vm');

const NOW = Date.UTC(2026, 10, 20, 17, 0, 0, 250);
const PICTURE = 'the bytes of a picture';
const CONDITIONS = {
  'if-none-match': '"abc"',
  'if-modified-since': 'Fri, 20 Nov 2026 16:52:00 GMT',
};
// what CloudFront answers with 502 when a function adds it, or changes it
const READ_ONLY = { request: ['host', 'via', 'content-length'], response: ['via', 'warning'] };

const source = (name) => fs.readFileSync(path.join(__dirname, name), 'utf8');
const iso = (time) => new Date(time).toISOString();

/** The handler of a file, in a world with nothing but the language and a clock that stands. */
function load(name, now = NOW) {
  const world = vm.createContext({}, { codeGeneration: { strings: false, wasm: false } });
  vm.runInContext(`Date.now = function () { return ${now}; };`, world);
  vm.runInContext(source(name), world, { filename: name });
  return (event) => {
    world.event = JSON.stringify(event);
    return JSON.parse(vm.runInContext('JSON.stringify(handler(JSON.parse(event)))', world));
  };
}

const wrapped = (headers) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { value }]));

/** An object as S3 hands it out; `meta` is its metadata. */
function object(meta, type = 'image/jpeg') {
  const headers = {
    'content-type': type,
    'content-length': String(PICTURE.length),
    'accept-ranges': 'bytes',
    etag: '"abc"',
    'last-modified': 'Fri, 20 Nov 2026 16:52:00 GMT',
    expires: 'Fri, 20 Nov 2026 17:05:00 GMT',
    'cache-control': 'public, must-revalidate, stale-if-error=0, no-transform',
  };
  for (const [name, value] of Object.entries(meta)) headers[`x-amz-meta-${name}`] = value;
  return { status: 200, headers, body: PICTURE };
}

const live = (until) => object({ state: 'live', camera: '12', 'fresh-until': until });
const card = () => object({ state: 'unavailable', reason: 'timeout', camera: '12' });

/** What an edge has in its cache answers a request: whole, in part, or "not modified". */
function fromCache(stored, headers) {
  if (stored.status >= 400) return stored;
  if (headers['if-none-match'] || headers['if-modified-since']) {
    const { etag, expires } = stored.headers;
    return { status: 304, headers: { etag, expires }, body: '' };
  }
  if (headers.range) {
    const part = { ...stored.headers, 'content-range': `bytes 0-3/${PICTURE.length}` };
    return { status: 206, headers: part, body: PICTURE.slice(0, 4) };
  }
  return stored;
}

function keepsReadOnly(kind, before, after) {
  for (const name of READ_ONLY[kind]) assert.deepEqual(after[name], before[name], name);
}

/** What a viewer gets for one request, through the functions named. */
function ask(stored, { uri = '/image/12.jpg', method = 'GET', headers = {}, query = {}, now, names }) {
  const use = names || ['request.js', 'fresh.js'];
  const context = { eventType: 'viewer-request' };
  let request = {
    method, uri, querystring: wrapped(query), headers: wrapped({ host: 'cdn', ...headers }), cookies: {},
  };
  if (use.includes('request.js')) {
    const before = request;
    request = load('request.js')({ version: '1.0', context, request });
    keepsReadOnly('request', before.headers, request.headers);
    assert.equal(request.method, method);
    assert.equal(request.uri, uri);
  }
  const plain = Object.fromEntries(Object.entries(request.headers).map(([n, h]) => [n, h.value]));
  const found = fromCache(stored, plain);
  const seen = { via: '1.1 edge', 'access-control-allow-origin': '*', ...found.headers };
  let response = { statusCode: found.status, headers: wrapped(seen), cookies: {} };
  if (found.status < 400) {
    const before = response;
    response = load('fresh.js', now)({ version: '1.0', context, request, response });
    keepsReadOnly('response', before.headers, response.headers);
  }
  const body = response.body === undefined ? found.body : response.body.data;
  return {
    status: response.statusCode,
    headers: Object.fromEntries(Object.entries(response.headers).map(([n, h]) => [n, h.value])),
    body: method === 'HEAD' ? '' : body,
    replaced: response.body !== undefined,
  };
}

function isShown(answer, stored) {
  assert.equal(answer.status, 200);
  assert.equal(answer.body, stored.body);
  for (const [name, value] of Object.entries(stored.headers)) {
    assert.equal(answer.headers[name], value);
  }
}

function isSentTo(place, answer) {
  assert.equal(answer.status, 302);
  assert.equal(answer.headers.location, place);
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.ok(!answer.body.includes(PICTURE.slice(0, 4)), 'bytes of the picture');
  assert.equal(answer.headers['content-type'], 'text/plain');
  const kept = Object.keys(answer.headers).filter((name) => /^(x-amz-meta|etag|exp|last)/.test(name));
  assert.deepEqual(kept, []);
}

const SENT = '/image/unavailable.jpg';

test('a fresh picture is passed on untouched', () => {
  const picture = live(iso(NOW + 60000));
  isShown(ask(picture, {}), picture);
});

test('the last millisecond of freshness is shown, the limit itself is not', () => {
  const picture = live(iso(NOW));
  isShown(ask(picture, { now: NOW - 1 }), picture);
  isSentTo(SENT, ask(picture, { now: NOW }));
  isSentTo(SENT, ask(picture, { now: NOW + 1 }));
});

test('an old picture goes to the card, with a text of its own in place of the picture', () => {
  const answer = ask(live(iso(NOW - 1)), {});
  isSentTo(SENT, answer);
  assert.ok(answer.body.length > 0);
  assert.equal(answer.headers['content-length'], String(answer.body.length));
  assert.equal(answer.headers['access-control-allow-origin'], '*');
});

for (const garbage of [
  '', ' ', 'garbage', 'null', '0', '99999999999999', '2999', '2999-01-01', 'Fri, 01 Jan 2999 00:00:00 GMT',
  '2999-01-01T00:00:00Z', '2999-01-01T00:00:00.000', '2999-01-01T00:00:00.000+00:00',
  '2999-01-01T00:00:00.000z', '2999-02-31T00:00:00.000Z', '2999-13-01T00:00:00.000Z',
  ' 2999-01-01T00:00:00.000Z', '2999-01-01T00:00:00.000Z,2999-01-01T00:00:00.000Z',
  '2999-01-01T24:00:00.000Z', '+275760-09-13T00:00:00.001Z', 'Infinity',
]) {
  test(`a date that makes no sense counts as past: "${garbage}"`, () => {
    isSentTo(SENT, ask(live(garbage), {}));
  });
}

test('a picture that says it is live and not until when goes to the card', () => {
  isSentTo(SENT, ask(object({ state: 'live' }), {}));
});

test('a card at a camera\'s address is passed on', () => {
  isShown(ask(card(), {}), card());
});

test('what bears no metadata at all, as the predecessor\'s pictures, is passed on', () => {
  isShown(ask(object({}), {}), object({}));
});

test('status.json is passed on', () => {
  const list = object({}, 'application/json');
  isShown(ask(list, { uri: '/image/status.json' }), list);
  isShown(ask(list, { uri: '/image/status.json', headers: CONDITIONS }), list);
});

test('the card at its own address is passed on whatever it says: no circle', () => {
  for (const uri of [SENT, '/trial/image/unavailable.jpg']) {
    const odd = live(iso(NOW - 1));
    isShown(ask(odd, { uri }), odd);
  }
});

test('a camera whose name only ends like the card\'s is judged', () => {
  isSentTo(SENT, ask(live(iso(NOW - 1)), { uri: '/image/not-unavailable.jpg' }));
});

test('HEAD is judged as GET is, and gets no body from the function', () => {
  const picture = live(iso(NOW + 1));
  assert.equal(ask(picture, { method: 'HEAD' }).status, 200);
  const answer = ask(picture, { method: 'HEAD', now: NOW + 1 });
  isSentTo(SENT, answer);
  assert.equal(answer.replaced, false);
});

for (const [name, value] of Object.entries({ ...CONDITIONS, range: 'bytes=0-3' })) {
  test(`a viewer's ${name} never lets an old picture live on, and a fresh one comes whole`, () => {
    const picture = live(iso(NOW));
    const headers = { [name]: value, 'if-range': '"abc"' };
    isShown(ask(picture, { headers, now: NOW - 1 }), picture);
    isSentTo(SENT, ask(picture, { headers, now: NOW }));
  });
}

test('the edge of these tests would answer 304 and 206 without request.js', () => {
  const names = ['fresh.js'];
  const list = object({}, 'application/json');
  const part = ask(live(iso(NOW + 1)), { headers: { range: 'bytes=0-3' }, names });
  assert.equal(part.status, 206);
  const same = ask(list, { headers: CONDITIONS, uri: '/image/status.json', names });
  assert.equal(same.status, 304);
});

test('a 304 or a part that comes through all the same shows nothing old', () => {
  const names = ['fresh.js'];
  isSentTo(SENT, ask(live(iso(NOW + 1)), { headers: CONDITIONS, names }));
  isSentTo(SENT, ask(live(iso(NOW - 1)), { headers: { range: 'bytes=0-3' }, names }));
});

test('other requests keep their headers', () => {
  const request = { method: 'GET', uri: '/image/12.jpg', headers: wrapped({ host: 'cdn', accept: '*/*' }) };
  assert.deepEqual(load('request.js')({ request }), request);
});

test('the card is looked for in the folder of the picture', () => {
  const places = {
    '/trial/image/12.jpg': '/trial/image/unavailable.jpg',
    '/12.jpg': '/unavailable.jpg',
    '/image/12%2Ejpg': '/image/unavailable.jpg',
    '//evil.example/12.jpg': '/evil.example/unavailable.jpg',
    '/\\evil.example/12.jpg': '/evil.example/unavailable.jpg',
  };
  for (const [uri, place] of Object.entries(places)) {
    isSentTo(place, ask(live(iso(NOW - 1)), { uri }));
  }
});

test('a query changes nothing and is not taken along', () => {
  const query = { t: '1700000000', 'x-amz-meta-fresh-until': '2999-01-01T00:00:00.000Z' };
  isSentTo(SENT, ask(live(iso(NOW - 1)), { query }));
});

test('a viewer\'s own headers are not mistaken for the picture\'s', () => {
  const headers = { 'x-amz-meta-fresh-until': '2999-01-01T00:00:00.000Z' };
  isSentTo(SENT, ask(live(iso(NOW - 1)), { headers }));
});

test('errors of the store reach no function', () => {
  const answer = ask({ status: 404, headers: {}, body: 'the card' }, {});
  assert.equal(answer.status, 404);
  assert.equal(answer.body, 'the card');
});

for (const name of ['fresh.js', 'request.js']) {
  test(`${name} keeps to what the runtime has`, () => {
    const code = source(name).replace(/^\s*\/\/.*$/gm, '');
    const lacks = /\b(import|export|require|module|process|globalThis|eval|Function|async|await|class|let|const|set(Timeout|Interval|Immediate)|Promise|fetch|XMLHttpRequest)\b|=>|`|\.\.\.|\?\.|\?\?/;
    assert.doesNotMatch(code, lacks);
    assert.match(code, /^function handler\(event\) \{$/m);
    assert.ok(Buffer.byteLength(source(name)) < 10 * 1024);
    assert.doesNotMatch(source(name), /[^\n\x20-\x7e]/);
  });
}
