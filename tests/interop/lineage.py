"""Reading a resharded stream through boto3 as KCL does."""


def read_lineage(kinesis, name):
    """All records: parents to their end, then children."""
    shards = {s["ShardId"]: s for s in kinesis.list_shards(StreamName=name)["Shards"]}
    records, done = [], set()
    waiting = sorted(shards)
    while waiting:
        shard = waiting.pop(0)
        parents = [p for p in (shards[shard].get(k) for k in ("ParentShardId", "AdjacentParentShardId")) if p]
        if not done.issuperset(parents):
            waiting.append(shard)
            continue
        iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard,
                                              ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        is_closed = "EndingSequenceNumber" in shards[shard]["SequenceNumberRange"]
        while iterator:
            answer = kinesis.get_records(ShardIterator=iterator, Limit=1000)
            records += answer["Records"]
            iterator = answer.get("NextShardIterator")
            # KCL's rule: children if and only if there is no next iterator.
            assert (iterator is None) == bool(answer.get("ChildShards")), answer
            assert all(c["ParentShards"] for c in answer.get("ChildShards", []))
            if not is_closed and answer["MillisBehindLatest"] == 0:
                break
        assert not is_closed or iterator is None
        done.add(shard)
    return records
