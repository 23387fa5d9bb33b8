import type { ResolveName } from '../src/index.ts';

const names: Readonly<Record<string, readonly string[]>> = {
  'open.example': ['127.0.0.1'],
  'loopback.example': ['127.0.0.1'],
  'loopback6.example': ['::1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'nat64.example': ['64:ff9b::7f00:1'],
  'private.example': ['10.0.0.7'],
  'metadata.google.internal': ['169.254.169.254'],
  'zoned.example': ['fe80::1%lo'],
  // The first of them is public; nothing may be sent to it either.
  'mixed.example': ['192.0.32.7', '127.0.0.1'],
  'mixed6.example': ['::1', '192.0.32.7'],
  'none.example': [],
  'rubbish.example': ['not an address'],
};

/** A name service in which names have addresses of networks that are not public. */
export const resolveInside: ResolveName = async (name) => {
  const addresses = names[name];
  if (addresses === undefined) {
    throw new TypeError(`ENOTFOUND ${name}`);
  }
  return addresses;
};

/** Hosts that are, or resolve to, this machine or a network that is not public. */
export const insideHosts = [
  ...['127.0.0.1', '127.1', '127.0.1', '0', '0.0.0.0', '2130706433', '0x7f000001', '0x7f.1', '0X7F.0x0.0x0.0x1'],
  ...[
    '0177.0.0.1',
    '017700000001',
    '0177.1',
    '127.0.0.1.',
    '127.255.255.254',
    '%31%32%37.0.0.1',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
  ],
  ...[
    '[::1]',
    '[::]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
  ],
  ...[
    '[64:ff9b:1::7f00:1]',
    '[2002:7f00:1::]',
    '[2001:0:4136:e378:8000:63bf:80ff:fffe]',
    '[::ffff:0:127.0.0.1]',
    '[fe80::1]',
  ],
  ...[
    '[fd00::1]',
    '[fec0::1]',
    '[ff02::1]',
    '[2001:db8::1]',
    '169.254.169.254',
    '2852039166',
    '0xa9fea9fe',
    '[fd00:ec2::254]',
  ],
  ...[
    '[::ffff:169.254.169.254]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '100.100.100.200',
    '192.0.0.192',
    '198.18.0.1',
  ],
  ...['203.0.113.9', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
  ...[
    'loopback.example',
    'LOOPBACK.example',
    'loopback.example.',
    'loopback6.example',
    'mapped.example',
    'nat64.example',
  ],
  ...['private.example', 'metadata.google.internal', 'zoned.example', 'mixed.example', 'mixed6.example'],
  'ｌｏｏｐｂａｃｋ.example',
];
