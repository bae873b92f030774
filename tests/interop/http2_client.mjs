// Node's own HTTP/2 client against a broker: http2_client.mjs URL [CERTIFICATE]. Prints one line of JSON.
import http2 from 'node:http2';
import fs from 'node:fs';

const [url, certificate] = process.argv.slice(2);
const session = http2.connect(url, certificate ? { ca: fs.readFileSync(certificate) } : {});
session.on('error', (error) => { console.error(error); process.exit(1); });

function call(operation, body) {
    return new Promise((resolve, reject) => {
        const stream = session.request({
            ':method': 'POST', ':path': '/', 'x-amz-target': `Kinesis_20131202.${operation}`,
            'content-type': 'application/x-amz-json-1.1',
        });
        let status, text = '';
        stream.on('response', (headers) => { status = headers[':status']; });
        stream.setEncoding('utf8');
        stream.on('data', (piece) => { text += piece; });
        stream.on('end', () => resolve({ status, body: text }));
        stream.on('error', reject);
        stream.end(JSON.stringify(body));
    });
}

const name = `node-${process.pid}`;
const made = await call('CreateStream', { StreamName: name, ShardCount: 1 });
// All at once: 100 streams of one connection.
const puts = await Promise.all(Array.from({ length: 100 }, (_, i) =>
    call('PutRecord', { StreamName: name, PartitionKey: 'k', Data: Buffer.from(`record ${i}`).toString('base64') })));
const numbers = new Set(puts.map((put) => JSON.parse(put.body).SequenceNumber));
// A request of several megabytes, and an answer of the same size.
const large = await call('PutRecords', {
    StreamName: name,
    Records: Array.from({ length: 5 }, (_, i) => ({ PartitionKey: 'k', Data: Buffer.alloc(900000, 65 + i).toString('base64') })),
});
const iterator = JSON.parse((await call('GetShardIterator', {
    StreamName: name, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON',
})).body).ShardIterator;
const got = JSON.parse((await call('GetRecords', { ShardIterator: iterator })).body).Records;
console.log(JSON.stringify({
    made: made.status, put: puts.every((put) => put.status === 200), numbers: numbers.size,
    large: JSON.parse(large.body).FailedRecordCount, got: got.length,
    last: Buffer.from(got[got.length - 1].Data, 'base64').length, protocol: session.alpnProtocol,
}));
session.close();
