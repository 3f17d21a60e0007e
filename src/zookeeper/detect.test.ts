import { describe, expect, it } from 'vitest';
import { DetectionError, masterAddress, parseMasterInfo } from './detect.ts';
import { sortMembers } from './members.ts';

const base = { id: 'x', ip: 16_777_343, port: 5050 };

describe('the address of a master', () => {
  it.each([
    [{ ...base, hostname: 'm1', pid: 'master@10.0.0.1:5050' }, '10.0.0.1:5050'],
    [{ ...base, hostname: 'm1', address: { hostname: 'm1', ip: '10.0.0.2', port: 5051 } }, '10.0.0.2:5051'],
    [{ ...base, pid: 'master@[fd00::1]:5050' }, '[fd00::1]:5050'],
    [{ ...base, hostname: 'm1' }, 'm1:5050'],
  ])('%j', (info, address) => {
    expect(masterAddress(info)).toBe(address);
  });

  it('is required', () => {
    expect(() => masterAddress(base)).toThrow(DetectionError);
  });
});

it.each(['', 'x', 'null', '7', '{}', '{"port":"5050"}'])('%j is not MasterInfo', (text) => {
  expect(() => parseMasterInfo({ name: 'json.info_0000000001', data: Buffer.from(text) })).toThrow(
    'json.info_0000000001 does not contain MasterInfo as JSON',
  );
});

it('sorts a group by number, and ignores other names', () => {
  const names = [
    'json.info_0000000010',
    'info_0000000001',
    'json.info_0000000002',
    'log_replicas',
    'json.info_x',
  ];
  expect(sortMembers(names, 'json.info_')).toEqual(['json.info_0000000002', 'json.info_0000000010']);
  expect(sortMembers(names, 'info_')).toEqual(['info_0000000001']);
});
