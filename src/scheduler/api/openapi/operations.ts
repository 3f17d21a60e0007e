/** All operations of the API. */

import { V1_OPERATIONS } from '../v1/v1-operations.ts';
import { V2_APP_OPERATIONS } from '../v2/app-operations.ts';
import { V2_OPERATIONS } from '../v2/v2-operations.ts';
import type { Operation } from './operation.ts';

export const OPERATIONS: readonly Operation[] = [...V2_APP_OPERATIONS, ...V2_OPERATIONS, ...V1_OPERATIONS];
