import { pathText } from '../../domain/field-errors.ts';
import type { Reply } from '../inputs.ts';

/** @returns the reason of a refused change, for listeners */
export function refusalText(reply: Reply): string {
  switch (reply.type) {
    case 'invalid':
      return reply.errors
        .slice(0, MAX_ERRORS)
        .map(({ path, error }) => `${pathText(path)} ${error}`)
        .join('; ');
    case 'exists':
      return `An app or group with id [${reply.appId}] already exists.`;
    case 'unknown_app':
      return `App '${reply.appId}' does not exist`;
    case 'unknown_group':
      return `Group '${reply.groupId}' does not exist`;
    case 'unknown_version':
      return `App '${reply.appId}' has no version '${reply.version}'`;
    case 'unknown_deployment':
      return `Deployment '${reply.deploymentId}' does not exist`;
    case 'outdated': {
      const by = reply.user === undefined ? '' : ` by ${reply.user}`;
      return `App '${reply.appId}' was changed${by} at ${new Date(reply.at).toISOString()}; its version is ${reply.version} now`;
    }
    case 'locked':
      return `App is locked by one or more deployments: ${reply.deploymentIds.join(', ')}`;
    case 'done':
    case 'deployed':
    case 'killed':
      return '';
  }
}

const MAX_ERRORS = 10;
