import { expect, test } from 'vitest';
import { bareFacts, bareHosts, clusterOf, hostOf, planInput, scripts } from '../../../test/install/hosts.ts';
import { planCluster } from '../plan-cluster.ts';
import { applyScript } from '../script/apply-script.ts';

const image = { kind: 'image', name: 'redis:7', sha256: 'a'.repeat(64), bytes: 12_000_000 } as const;
const cluster = clusterOf([hostOf('h1'), hostOf('h2', { roles: ['zookeeper'] })]);
const planned = (images: readonly string[] = []) => {
  const { mesosup } = bareFacts('10.0.0.1');
  const facts = bareHosts(cluster, { mesosup: { ...mesosup, images } });
  return planCluster({ ...planInput(cluster, facts), images: [image] }).hosts;
};

test('images are loaded on agents that lack them, after Docker has started', () => {
  const [agent, other] = planned();
  expect(agent?.items.at(-1)).toEqual({
    id: 'image:redis:7',
    action: 'create',
    title: 'image redis:7: load (12 MB)',
    diff: [],
    resource: image,
  });
  expect(other?.items.filter(({ id }) => id.startsWith('image:'))).toEqual([]);
  expect(planned([image.sha256])[0]?.items.filter(({ id }) => id.startsWith('image:'))).toEqual([]);
});

test('the script quotes the name of an image', () => {
  const resource = { ...image, name: "a'b" };
  const items = [{ id: "image:a'b", action: 'create', title: '', diff: [], resource } as const];
  const options = { run: 'r', command: 'install', cluster: 'c', who: 'me' } as const;
  const script = applyScript(scripts, { host: 'h', items, basis: '' }, options);
  expect(script).toContain(`load_image 'a'\\''b' ${image.sha256}`);
});
