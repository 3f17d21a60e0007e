/** The load balancer with the real haproxy, and a scheduler that a test controls. */

import { appendFile, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { balancedApp, snapshotOf } from '../lb/snapshots.ts';
import { askHost } from '../support/ask-host.ts';
import { freePorts } from '../support/free-ports.ts';
import { useLb } from './support/lb-setup.ts';
import { selfSigned } from './support/self-signed.ts';

const t = useLb();

it('adds, removes and replaces tasks without a reload, and continues after a restart and without the scheduler', async () => {
  const [port = 0] = await freePorts(1);
  const [a, b] = [await t.task('a'), await t.task('b')];
  const check = { ports: [{ servicePort: port, protocol: 'tcp', checkProtocol: 'HTTP' }] };
  t.tell(balancedApp('/web', port, [a], check));
  await t.start();
  await t.serves(port, 'a');
  t.tell(balancedApp('/web', port, [b], check));
  await t.serves(port, 'b');
  t.tell(balancedApp('/web', port, [], check));
  await t.serves(port, '503');
  t.tell(balancedApp('/web', port, [a], check));
  await t.serves(port, 'a');
  expect(await t.lb.metric('mesosup_lb_reloads_total')).toBe(1);
  expect(await readFile(path.join(t.directory, 'haproxy.cfg'), 'utf8')).toContain(`127.0.0.1:${a}`);

  // The scheduler is unreachable, its answer is cut, and a new leader knows nothing yet.
  for (const answer of [
    undefined,
    '{"apps":[',
    '{}',
    snapshotOf([], { unanswered: 3 }),
    snapshotOf([], { frameworkId: 'g' }),
  ]) {
    t.scheduler.answer = answer;
    t.scheduler.notify();
    await sleep(300);
    expect(await t.nameAt(port)).toBe('a');
  }
  t.scheduler.answer = undefined;
  await t.lb.end('SIGKILL');
  expect(await t.nameAt(port)).toBe('a');
  await t.lb.haproxy.stop();
  t.lb.begin();
  await t.serves(port, 'a');
  t.tell(balancedApp('/web', port, [b], check));
  await t.serves(port, 'b');
});

it('divides requests between the apps of a deployment group, and changes their shares without a reload', async () => {
  const [port = 0, other = 0] = await freePorts(2);
  const [a, b] = [await t.task('a'), await t.task('b')];
  const check = { ports: [{ servicePort: port, protocol: 'tcp', checkProtocol: 'HTTP' }] };
  const canary = (share: number, ports: readonly number[] = [b]) =>
    balancedApp('/web-canary', other, ports, {
      run: 2,
      labels: { HAPROXY_DEPLOYMENT_GROUP: 'web', HAPROXY_DEPLOYMENT_SHARE: String(share) },
    });
  const web = balancedApp('/web', port, [a], check);
  /** @returns how many of 100 requests the canary gets */
  const canaryOf100 = async () => {
    const names = [];
    for (let i = 0; i < 100; i += 1) names.push(await t.nameAt(port));
    expect(names.filter((name) => name !== 'a' && name !== 'b')).toEqual([]);
    return names.filter((name) => name === 'b').length;
  };
  t.tell(web);
  await t.start();
  await t.serves(port, 'a');
  for (const share of [10, 50, 0, 100, 25]) {
    t.tell(web, canary(share));
    await t.until(`${share} of 100 requests`, async () => Math.abs((await canaryOf100()) - share) <= 1);
  }
  expect(await t.lb.metric('mesosup_lb_reloads_total')).toBe(1);
  await t.lb.end('SIGKILL');
  await t.lb.haproxy.stop();
  t.lb.begin();
  await t.serves(port, 'a');
  await t.until('25 of 100 requests again', async () => Math.abs((await canaryOf100()) - 25) <= 1);
  t.tell(web);
  await t.until('no request', async () => (await canaryOf100()) === 0);
  // A place that the canary had is one like all others.
  t.tell(balancedApp('/web', port, [a, b], check));
  await t.until('half of the requests', async () => Math.abs((await canaryOf100()) - 50) <= 1);
  await expect(askHost(other, 'x')).rejects.toThrow('ECONNREFUSED');
}, 240_000);

it('starts a killed haproxy again, and reloads it when its socket is gone', async () => {
  const [port = 0] = await freePorts(1);
  const [a, b] = [await t.task('a'), await t.task('b')];
  const check = { ports: [{ servicePort: port, protocol: 'tcp', checkProtocol: 'HTTP' }] };
  t.tell(balancedApp('/web', port, [a], check));
  await t.start({ 'reload-interval-ms': '100' });
  await t.serves(port, 'a');
  await t.lb.haproxy.stop();
  await t.serves(port, 'a');
  await unlink(t.lb.haproxy.socket);
  t.tell(balancedApp('/web', port, [b], check));
  await t.serves(port, 'b');
  await t.until('the log names the causes', async () =>
    /haproxy is not running[\s\S]*could not be changed at run time/.test(t.lb.log.join('\n')),
  );
});

it('leaves out a port in use, a broken certificate, and an app whose template haproxy refuses', async () => {
  const [port = 0, used = 0, other = 0] = await freePorts(3);
  const a = await t.task('a');
  const holder = createServer();
  t.servers.push(holder);
  await new Promise<void>((resolve) => holder.listen(used, '127.0.0.1', resolve));
  const certificates = path.join(t.directory, 'certificates');
  await mkdir(certificates);
  await writeFile(path.join(certificates, 'broken.pem'), 'no certificate');
  await selfSigned(certificates, 'good');
  t.tell(
    balancedApp('/good', port, [a], { labels: { HAPROXY_0_MODE: 'http', HAPROXY_0_VHOST: 'good.example' } }),
    balancedApp('/used', used, [a], { run: 2 }),
    balancedApp('/refused', other, [a], {
      run: 3,
      labels: { HAPROXY_0_MODE: 'http', HAPROXY_0_BACKEND_HTTP_OPTIONS: 'http-request no-such-action' },
    }),
  );
  await t.start({
    'certificate-dir': certificates,
    'allow-label-templates': '',
  });
  await t.serves(port, 'a');
  // haproxy serves before the balancer has seen that it does.
  for (const line of [
    new RegExp(`"app":"/used".*port ${used} can't be used: another program`),
    /"app":"\/refused".*no-such-action/,
    /"certificate":"broken.pem"/,
  ]) {
    await t.until(`the log matches ${line}`, async () => line.test(t.lb.log.join('\n')));
  }
  await expect(askHost(other, 'x')).rejects.toThrow('ECONNREFUSED');
  const { stdout } = await execa('curl', [
    ...['-sk', '--http2', '--resolve', `good.example:${t.lb.httpsPort}:127.0.0.1`, '-w', '\n%{http_version}'],
    `https://good.example:${t.lb.httpsPort}/x`,
  ]);
  expect(stdout).toMatch(/"name":"a","path":"\/x".*"x-forwarded-proto":"https"/);
  expect(stdout).toMatch(/\n2$/);
});

it('routes as the labels of marathon-lb say', async () => {
  const ports = await freePorts(6);
  const [port = 0, second = 0, api = 0, open = 0, sticky = 0, folded = 0] = ports;
  const [a, b, c] = [await t.task('a'), await t.task('b'), await t.task('c')];
  const certificates = path.join(t.directory, 'certificates');
  await mkdir(certificates);
  await selfSigned(certificates, 'site');
  const { stdout: passwordHash } = await execa('openssl', ['passwd', '-5', '-salt', 'salt', 'secret']);
  const two = { ports: [port, second].map((servicePort) => ({ servicePort, protocol: 'tcp' })) };
  t.tell(
    balancedApp('/shop/web', port, [], {
      ...two,
      tasks: [{ id: 'w', state: 'ready', addresses: [`127.0.0.1:${a}`, `127.0.0.1:${b}`] }],
      labels: {
        HAPROXY_0_VHOST: 'shop.example,www.shop.example',
        HAPROXY_0_HTTP_BACKEND_REDIR: '/start',
        HAPROXY_1_VHOST: 'secure.example',
        HAPROXY_1_REDIRECT_TO_HTTPS: 'true',
        HAPROXY_1_USE_HSTS: 'true',
        HAPROXY_1_SSL_CERT: 'site.pem',
      },
    }),
    balancedApp('/shop/api', api, [c], {
      run: 2,
      labels: {
        HAPROXY_0_VHOST: 'shop.example',
        HAPROXY_0_PATH: '/api',
        HAPROXY_0_HTTP_BACKEND_PROXYPASS_PATH: '/api',
        HAPROXY_0_HTTP_BACKEND_REVPROXY_PATH: '/api',
        HAPROXY_0_AUTH: `my realm:ada:${passwordHash}`,
      },
    }),
    balancedApp('/shop/folded', folded, [b], {
      run: 2,
      labels: { HAPROXY_0_VHOST: 'shop.example', HAPROXY_0_PATH: '-i /folded' },
    }),
    balancedApp('/open', open, [a], {
      run: 3,
      labels: { HAPROXY_0_MODE: 'http', HAPROXY_0_BACKEND_NETWORK_ALLOWED_ACL: '10.0.0.0/8' },
    }),
    balancedApp('/sticky', sticky, [a, b], {
      run: 4,
      labels: { HAPROXY_0_VHOST: 'sticky.example', HAPROXY_0_STICKY: 'true', HAPROXY_0_PATH: '-i /Any' },
    }),
  );
  await t.start({ 'certificate-dir': certificates });
  const { httpPort } = t.lb;
  const ask = async (host: string, url: string, headers = {}) => {
    const answer = await askHost(httpPort, host, url, headers);
    return { ...answer, json: answer.status === 200 ? JSON.parse(answer.text) : undefined };
  };
  await t.until('the host answers', async () => (await ask('shop.example', '/x')).status === 200);
  expect((await ask('WWW.shop.example:80', '/x')).json).toMatchObject({
    name: 'a',
    path: '/x',
    headers: { 'x-forwarded-proto': 'http' },
  });
  expect((await ask('shop.example', '/')).headers.location).toBe('/start');
  expect((await ask('other.example', '/')).status).toBe(503);
  const redirect = await ask('secure.example', '/x');
  expect([redirect.status, redirect.headers.location]).toEqual([301, 'https://secure.example/x']);
  const { stdout: secure } = await execa('curl', ['-ski', `https://127.0.0.1:${second}/x`]);
  expect(secure).toMatch(/strict-transport-security: max-age=15768000[\s\S]*"name":"b"/i);
  expect((await ask('shop.example', '/api/x')).headers['www-authenticate']).toBe('Basic realm="my realm"');
  const authorization = { Authorization: `Basic ${Buffer.from('ada:secret').toString('base64')}` };
  expect((await ask('shop.example', '/api/x', authorization)).json).toMatchObject({ name: 'c', path: '/x' });
  expect((await ask('shop.example', '/api/moved', authorization)).headers.location).toBe('/api/there');
  expect((await askHost(open, 'x')).status).toBe(403);
  const first = await ask('sticky.example', '/aNY/x');
  const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
  for (let i = 0; i < 4; i += 1) {
    expect((await ask('sticky.example', '/any', { Cookie: cookie })).json.name).toBe(first.json.name);
  }
  expect((await ask('shop.example', '/Folded/x')).json).toMatchObject({ name: 'b' });
  expect(t.lb.log.filter((line) => line.includes('"level":40'))).toEqual([]);
});

it('changes servers on a full disk, says so, and stores them once there is room', async () => {
  const [port = 0] = await freePorts(1);
  const [a, b] = [await t.task('a'), await t.task('b')];
  const check = { ports: [{ servicePort: port, protocol: 'tcp', checkProtocol: 'HTTP' }] };
  const full = path.join(t.directory, 'full');
  await mkdir(full);
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', full]);
  try {
    t.tell(balancedApp('/web', port, [a], check));
    await t.start({}, full);
    await t.serves(port, 'a');
    const file = path.join(full, 'file');
    await writeFile(file, Buffer.alloc(2_000_000)).catch(() => undefined);
    t.tell(balancedApp('/web', port, [b], check));
    await t.serves(port, 'b');
    let wanted = b;
    await t.until('the log names the cause', async () => {
      if (/ENOSPC.*haproxy\.cfg can't be written/.test(t.lb.log.join())) return true;
      // A file that was being replaced has left room for one more.
      await appendFile(file, Buffer.alloc(100_000)).catch(() => undefined);
      wanted = wanted === b ? a : b;
      t.tell(balancedApp('/web', port, [wanted], check));
      return false;
    });
    await unlink(file);
    t.tell(balancedApp('/web', port, [a, b], check));
    const stored = () => readFile(path.join(full, 'haproxy.cfg'), 'utf8');
    await t.until('the configuration is stored', async () => (await stored()).includes(`:${a}\n`));
  } finally {
    await t.lb.stop();
    await execa('umount', ['--lazy', full]);
  }
});

it('takes over a renewed certificate', async () => {
  const certificates = path.join(t.directory, 'certificates');
  await mkdir(certificates);
  await selfSigned(certificates, 'site');
  const a = await t.task('a');
  const [port = 0] = await freePorts(1);
  const labels = { HAPROXY_0_VHOST: 'site.example' };
  t.tell(balancedApp('/web', port, [a], { labels }));
  await t.start({
    'certificate-dir': certificates,
    'reload-interval-ms': '0',
  });
  await t.serves(port, 'a');
  const { httpsPort } = t.lb;
  const certificate = async () => {
    const { stdout } = await execa('openssl', ['s_client', '-connect', `127.0.0.1:${httpsPort}`], {
      input: '',
    });
    return /-----BEGIN[\s\S]*END CERTIFICATE-----/.exec(stdout)?.[0];
  };
  const before = await certificate();
  expect(before).toBeTruthy();
  await selfSigned(certificates, 'site');
  t.scheduler.notify();
  await t.until('the new certificate is used', async () => {
    const now = await certificate();
    return now !== undefined && now !== before;
  });
});

it('serves 2,000 services', async () => {
  const a = await t.task('a');
  const apps = Array.from({ length: 2000 }, (_, i) =>
    balancedApp(`/many/app${i}`, 12_000 + i, [a], { run: i }),
  );
  t.tell(...apps);
  await t.start();
  await t.serves(13_999, 'a');
  const b = await t.task('b');
  t.tell(...apps.slice(0, -1), balancedApp('/many/app1999', 13_999, [b], { run: 1999 }));
  await t.serves(13_999, 'b');
  expect(await t.lb.metric('mesosup_lb_reloads_total')).toBe(1);
});
