/** `/v2/groups`. The answers of `GET`, including those of Marathon, are valid bodies for `PUT`. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { isEmpty, isJson } from '../../../json.ts';
import type { Change, GroupTree } from '../../decide/inputs.ts';
import { absoluteId, isWithin, parentOf, ROOT } from '../../domain/app-id.ts';
import { fieldErrors } from '../../domain/field-errors.ts';
import { type GroupUpdate, groupScaleSchema, groupSchema } from '../../domain/group-schema.ts';
import { type Api, type ApiOptions, json, queriesOf } from '../answers.ts';
import { appsOf } from '../views.ts';
import { cacheableList, cacheableParts, invalid, unknownGroup } from './answers.ts';
import { deploy, embedsOf } from './apps.ts';
import { appParts, type GroupEmbeds, gatherGroup, groupParts } from './views.ts';

type ByPath = FastifyRequest<{ Params: { '*'?: string } }>;

export function addGroupRoutes(api: Api, options: ApiOptions): void {
  for (const url of ['/v2/groups', '/v2/groups/*']) {
    api.get(url, (request, reply) => get(request as ByPath, reply, options));
    api.route({
      method: ['POST', 'PUT'],
      url,
      handler: (request, reply) => put(request as ByPath, reply, options),
    });
    api.delete(url, async (request, reply) =>
      deploy(request, reply, options, [{ op: 'remove_group', groupId: groupIdOf(request as ByPath) }]),
    );
  }
}

async function get(request: ByPath, reply: FastifyReply, { runner }: ApiOptions): Promise<FastifyReply> {
  const path = groupIdOf(request);
  const part = /^(.*)\/(apps|versions)(?:\/([^/]+))?$/.exec(path);
  const id = part ? part[1] || ROOT : path;
  const version = part?.[3];
  if (version !== undefined && part?.[2] === 'apps') return unknownGroup(reply, path);
  const embeds = groupEmbedsOf(request);
  const found = await runner.read((state) => {
    const group = gatherGroup(state, id, embeds);
    if (!group) return undefined;
    const { role } = state.settings;
    if (part?.[2] !== 'apps') return { version: group.version, parts: groupParts(group, embeds, role) };
    const within = appsOf(state).filter(({ app }) => isWithin(app.id, id));
    return { version: group.version, parts: appParts(within, embeds.ofApps, role) };
  });
  if (!found) return unknownGroup(reply, id);
  if (part?.[2] === 'apps') return cacheableList(request, reply, 'apps', found.parts);
  // Only the current version of a group is kept; apps have their own versions.
  if (part?.[2] === 'versions' && version === undefined) return json(reply, [found.version]);
  if (version !== undefined && Date.parse(version) !== Date.parse(found.version)) {
    return json(reply, { message: `Group '${id}' has no version '${version}': ${NO_VERSIONS}` }, 404);
  }
  return cacheableParts(request, reply, found.parts);
}

const SCALED_WITH: ReadonlySet<string> = new Set(['id', 'scaleBy', 'version']);

function isUsed(value: unknown): boolean {
  return value !== undefined && value !== null;
}

const NO_VERSIONS =
  'older versions of groups are not kept: revert the apps to their versions, or DELETE the deployment';

async function put(request: ByPath, reply: FastifyReply, options: ApiOptions): Promise<FastifyReply> {
  const groupId = groupIdOf(request);
  const { body } = request;
  if (/\/versions(\/|$)/.test(groupId)) return invalid(reply, [{ path: ['version'], error: NO_VERSIONS }]);
  if (request.method === 'PUT' && isJson(body) && isUsed(body.scaleBy)) {
    if (isUsed(body.version)) return invalid(reply, [{ path: ['version'], error: NO_VERSIONS }]);
    const others = Object.keys(body).filter((name) => !SCALED_WITH.has(name) && !isEmpty(body[name]));
    const error = "can't be combined with scaleBy";
    if (others.length > 0)
      return invalid(
        reply,
        others.map((name) => ({ path: [name], error })),
      );
    const scale = groupScaleSchema.safeParse(body);
    if (!scale.success) return invalid(reply, fieldErrors(scale.error));
    return deploy(request, reply, options, [{ op: 'scale_group', groupId, by: scale.data.scaleBy }]);
  }
  if (isJson(body) && 'version' in body && Object.keys(body).every((name) => /^(id|version)$/.test(name))) {
    return invalid(reply, [{ path: ['version'], error: NO_VERSIONS }]);
  }
  const parsed = groupSchema.safeParse(body);
  if (!parsed.success) return invalid(reply, fieldErrors(parsed.error));
  const { id } = parsed.data;
  if (request.method === 'PUT' && groupId !== ROOT && id !== undefined) {
    if (absoluteId(id) !== groupId && absoluteId(id, parentOf(groupId)) !== groupId) {
      return invalid(reply, [{ path: ['id'], error: `differs from ${groupId}, the group in the path` }]);
    }
    parsed.data.id = groupId;
  }
  const group = treeOf(parsed.data, groupId);
  if (group.id !== groupId && !isWithin(group.id, groupId)) {
    return invalid(reply, [
      { path: ['id'], error: `is ${group.id}, which is not in ${groupId}, the group in the path` },
    ]);
  }
  const change: Change = { op: 'put_group', group, mustBeNew: request.method === 'POST' };
  return deploy(request, reply, options, [change], async ({ id, version }) =>
    json(reply, { version, deploymentId: id }, request.method === 'POST' ? 201 : 200, {
      'Marathon-Deployment-Id': id,
      ...(request.method === 'POST' && { Location: `/v2/groups${group.id}` }),
    }),
  );
}

/** Makes all ids in a group absolute; ids of its members start at the group. */
function treeOf({ id, dependencies, apps, groups }: GroupUpdate, base: string): GroupTree {
  const groupId = absoluteId(id ?? base, base);
  return {
    id: groupId,
    ...(dependencies && { dependencies: dependencies.map((one) => absoluteId(one, groupId)) }),
    ...(apps && { apps: apps.map(({ version: _version, versionInfo: _info, ...app }) => app) }),
    ...(groups && { groups: groups.map((group) => treeOf(group, groupId)) }),
  };
}

function groupIdOf(request: ByPath): string {
  return absoluteId(request.params['*'] ?? '');
}

function groupEmbedsOf(request: FastifyRequest): GroupEmbeds {
  const names = queriesOf(request, 'embed');
  return {
    groups: names.length === 0 || names.includes('group.groups'),
    apps: names.length === 0 || names.some((name) => name.startsWith('group.apps')),
    ofApps: embedsOf(request, 'group.apps', []),
  };
}
