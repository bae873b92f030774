//! The whole life of a stream through the AWS SDK for Rust: life URL
//! Prints `fact: Operation Member...` and `fact: Operation !Error` for what it has seen.
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_kinesis::config::interceptors::{AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef};
use aws_sdk_kinesis::config::{BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents};
use aws_sdk_kinesis::error::{BoxError, ProvideErrorMetadata};
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::*;
use aws_sdk_kinesis::Client;
use aws_smithy_types::config_bag::{Storable, StoreReplace};

const STREAM: &str = "life";
const ARN: &str = "arn:aws:kinesis:eu-west-1:000000000000:stream/life";

/// What a call asked for, until its answer is there.
#[derive(Clone, Debug)]
struct Asked {
    operation: String,
    names: String,
}

impl Storable for Asked {
    type Storer = StoreReplace<Self>;
}

/// Prints what each call has shown, from the request's own bytes.
#[derive(Debug)]
struct Facts;

fn members(document: &serde_json::Value, prefix: &str, names: &mut BTreeSet<String>) {
    for (name, value) in document.as_object().into_iter().flatten() {
        names.insert(format!("{prefix}{name}"));
        let inner = format!("{prefix}{name}.");
        match value {
            serde_json::Value::Array(elements) => elements.iter().for_each(|e| members(e, &inner, names)),
            value if name != "Tags" => members(value, &inner, names),
            _ => {}
        }
    }
}

impl Intercept for Facts {
    fn name(&self) -> &'static str {
        "facts"
    }

    fn read_before_attempt(&self, context: &BeforeTransmitInterceptorContextRef<'_>, _: &RuntimeComponents,
                           config: &mut ConfigBag) -> Result<(), BoxError> {
        let request = context.request();
        let target = request.headers().get("x-amz-target").unwrap_or("").to_string();
        let operation = target.rsplit('.').next().unwrap_or("");
        let mut names = BTreeSet::new();
        members(&serde_json::from_slice(request.body().bytes().unwrap_or(b"{}"))?, "", &mut names);
        let names = names.into_iter().collect::<Vec<_>>().join(" ");
        config.interceptor_state().store_put(Asked { operation: operation.into(), names });
        Ok(())
    }

    fn read_after_deserialization(&self, context: &AfterDeserializationInterceptorContextRef<'_>, _: &RuntimeComponents,
                                  config: &mut ConfigBag) -> Result<(), BoxError> {
        let Asked { operation, names } = config.load::<Asked>().expect("an attempt").clone();
        if context.response().status().is_success() {
            println!("fact: {operation} {names}");
        } else {
            let bytes = context.response().body().bytes().unwrap_or(b"{}");
            let document: serde_json::Value = serde_json::from_slice(bytes)?;
            println!("fact: {operation} !{}", document["__type"].as_str().unwrap_or("").rsplit('#').next().unwrap_or(""));
        }
        Ok(())
    }
}

/// The error must have that name and those words.
fn refused<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(answer: Result<T, E>, name: &str, words: &str) {
    let error = answer.expect_err(name);
    assert_eq!(error.code(), Some(name), "{error:?}");
    assert!(error.message().unwrap_or("").contains(words), "{error:?}");
}

struct Life {
    kinesis: Client,
}

type Read = BTreeMap<String, Vec<Vec<u8>>>;

impl Life {
    async fn summary(&self) -> StreamDescriptionSummary {
        self.kinesis.describe_stream_summary().stream_name(STREAM).send().await.unwrap().stream_description_summary.unwrap()
    }

    async fn wait(&self, name: &str) {
        for _ in 0..150 {
            let answer = self.kinesis.describe_stream_summary().stream_name(name).send().await.unwrap();
            if answer.stream_description_summary.unwrap().stream_status == StreamStatus::Active {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("{name} does not become active");
    }

    async fn create(&self) {
        let kinesis = &self.kinesis;
        kinesis.create_stream().stream_name(STREAM).shard_count(2).tags("made", "by life").send().await.unwrap();
        self.wait(STREAM).await;
        let summary = self.summary().await;
        assert_eq!((summary.stream_arn(), summary.open_shard_count()), (ARN, 2));
        assert!(summary.stream_id().is_none());
        let page = kinesis.list_shards().stream_name(STREAM).max_results(1).send().await.unwrap();
        let page = kinesis.list_shards().set_next_token(page.next_token).send().await.unwrap();
        assert_eq!(page.shards()[0].shard_id(), "shardId-000000000001");
        assert!(page.next_token.is_none());
        let described = kinesis.describe_stream().stream_name(STREAM).limit(1).send().await.unwrap();
        assert!(described.stream_description.unwrap().has_more_shards);
        assert_eq!(kinesis.list_streams().limit(5).send().await.unwrap().stream_names(), ["life"]);
        refused(kinesis.create_stream().stream_name(STREAM).shard_count(1).send().await, "ResourceInUseException", "already exists.");
        let error = kinesis.describe_stream().stream_name("none").send().await.unwrap_err().into_service_error();
        assert!(error.is_resource_not_found_exception(), "{error:?}");
        refused::<(), _>(Err(error), "ResourceNotFoundException", "Stream none under account 000000000000 not found.");
    }

    async fn iterator(&self, kind: ShardIteratorType, number: Option<&str>) -> Option<String> {
        self.kinesis.get_shard_iterator().stream_name(STREAM).shard_id("shardId-000000000000").shard_iterator_type(kind)
            .set_starting_sequence_number(number.map(String::from)).send().await.unwrap().shard_iterator
    }

    async fn read(&self, mut iterator: Option<String>, count: usize) -> Vec<Record> {
        let mut records = Vec::new();
        while records.len() < count {
            let answer = self.kinesis.get_records().set_shard_iterator(iterator).limit(300).send().await.unwrap();
            records.extend(answer.records);
            iterator = answer.next_shard_iterator;
        }
        records
    }

    async fn put_and_read(&self) {
        let kinesis = &self.kinesis;
        let latest = self.iterator(ShardIteratorType::Latest, None).await;
        let put = || kinesis.put_record().stream_name(STREAM).explicit_hash_key("0");
        let first = put().data(Blob::new([0, 255])).partition_key("kü").send().await.unwrap();
        put().data(Blob::new("2")).partition_key("k").sequence_number_for_ordering(&first.sequence_number).send().await.unwrap();
        let entries = (0..500).map(|i| entry(i, &format!("p{i}"), Some("1"))).collect();
        let many = kinesis.put_records().stream_name(STREAM).set_records(Some(entries)).send().await.unwrap();
        assert_eq!((many.failed_record_count, many.records().len()), (Some(0), 500));
        let all = self.read(self.iterator(ShardIteratorType::TrimHorizon, None).await, 502).await;
        assert_eq!((all[0].data().as_ref(), all[0].partition_key()), (&[0u8, 255][..], Some("kü")));
        assert_eq!(self.read(latest, 502).await, all, "LATEST means the tip of when it was asked for");
        let number = Some(all[1].sequence_number());
        assert_eq!(self.read(self.iterator(ShardIteratorType::AtSequenceNumber, number).await, 501).await, all[1..]);
        assert_eq!(self.read(self.iterator(ShardIteratorType::AfterSequenceNumber, number).await, 500).await, all[2..]);
        let at_time = kinesis.get_shard_iterator().stream_name(STREAM).shard_id("shardId-000000000000")
            .shard_iterator_type(ShardIteratorType::AtTimestamp)
            .timestamp(*all[0].approximate_arrival_timestamp().unwrap()).send().await.unwrap().shard_iterator;
        assert_eq!(self.read(at_time, 502).await, all);
        refused(kinesis.get_records().shard_iterator("AAAA").send().await, "InvalidArgumentException", "Invalid ShardIterator.");
        refused(kinesis.put_records().stream_name(STREAM).set_records(Some(Vec::new())).send().await, "ValidationException",
                "1 validation error detected");
    }

    async fn fan_out(&self) {
        let kinesis = &self.kinesis;
        let made = kinesis.register_stream_consumer().stream_arn(ARN).consumer_name("fan").send().await.unwrap().consumer.unwrap();
        let arn = made.consumer_arn();
        while kinesis.describe_stream_consumer().consumer_arn(arn).send().await.unwrap().consumer_description.unwrap()
            .consumer_status != ConsumerStatus::Active {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert_eq!(kinesis.list_stream_consumers().stream_arn(ARN).send().await.unwrap().consumers().len(), 1);
        let from = |kind| StartingPosition::builder().r#type(kind).build().unwrap();
        let mut answer = kinesis.subscribe_to_shard().consumer_arn(arn).shard_id("shardId-000000000000")
            .starting_position(from(ShardIteratorType::TrimHorizon)).send().await.unwrap();
        let (mut last, mut count, mut children) = (Vec::new(), 0, Vec::new());
        while let Some(event) = answer.event_stream.recv().await.unwrap() {
            let event = event.as_subscribe_to_shard_event().expect("an event of the known kind").clone();
            if count == 0 && !event.records().is_empty() {
                kinesis.put_record().stream_name(STREAM).data(Blob::new("pushed")).partition_key("k").explicit_hash_key("0")
                    .send().await.unwrap();
                kinesis.split_shard().stream_name(STREAM).shard_to_split("shardId-000000000000")
                    .new_starting_hash_key((1u128 << 126).to_string()).send().await.unwrap();
            }
            count += event.records().len();
            if let Some(record) = event.records().last() {
                last = record.data().as_ref().to_vec();
            }
            children.extend(event.child_shards().iter().map(|child| child.shard_id().to_string()));
        }
        assert_eq!((count, last), (503, b"pushed".to_vec()));
        assert_eq!(children.len(), 2, "the shard's end names its children");
        self.wait(STREAM).await;
        kinesis.merge_shards().stream_name(STREAM).shard_to_merge(&children[0]).adjacent_shard_to_merge(&children[1])
            .send().await.unwrap();
        self.wait(STREAM).await;
        refused(kinesis.subscribe_to_shard().consumer_arn(arn).shard_id("shardId-000000009999")
                    .starting_position(from(ShardIteratorType::Latest)).send().await, "ResourceNotFoundException", "");
        kinesis.deregister_stream_consumer().consumer_arn(arn).send().await.unwrap();
    }

    /// Every record of a stream by its key, parents before children.
    async fn read_lineage(&self, name: &str) -> Read {
        let mut waiting = self.kinesis.list_shards().stream_name(name).send().await.unwrap().shards.unwrap();
        let (mut read, mut done) = (Read::new(), HashSet::new());
        while !waiting.is_empty() {
            let shard = waiting.remove(0);
            let parents = [shard.parent_shard_id(), shard.adjacent_parent_shard_id()];
            if parents.into_iter().flatten().any(|parent| !done.contains(parent)) {
                waiting.push(shard);
                continue;
            }
            let is_closed = shard.sequence_number_range().unwrap().ending_sequence_number().is_some();
            let mut iterator = self.kinesis.get_shard_iterator().stream_name(name).shard_id(shard.shard_id())
                .shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap().shard_iterator;
            while iterator.is_some() {
                let answer = self.kinesis.get_records().set_shard_iterator(iterator).limit(5000).send().await.unwrap();
                assert_eq!(answer.next_shard_iterator.is_none(), !answer.child_shards().is_empty());
                for record in answer.records() {
                    read.entry(record.partition_key().unwrap_or_default().into()).or_default().push(record.data().as_ref().to_vec());
                }
                iterator = answer.next_shard_iterator;
                if !is_closed && answer.millis_behind_latest == Some(0) {
                    break;
                }
            }
            done.insert(shard.shard_id().to_string());
        }
        read
    }

    async fn reshard_under_load(&self) {
        let name = "load";
        self.kinesis.create_stream().stream_name(name).shard_count(2).send().await.unwrap();
        let is_done = Arc::new(AtomicBool::new(false));
        let load = tokio::spawn({
            let (kinesis, is_done) = (self.kinesis.clone(), is_done.clone());
            async move {
                let (mut sent, mut count) = (Read::new(), 0);
                while !is_done.load(Ordering::Relaxed) {
                    let entries: Vec<_> = (count..count + 100).map(|i| entry(i, &format!("load-{}", i % 50), None)).collect();
                    for e in &entries {
                        sent.entry(e.partition_key().unwrap_or_default().to_string()).or_default().push(e.data().as_ref().to_vec());
                    }
                    let answer = kinesis.put_records().stream_name(name).set_records(Some(entries)).send().await.unwrap();
                    assert_eq!(answer.failed_record_count, Some(0));
                    count += 100;
                }
                sent
            }
        });
        for target in [4, 2, 3] {
            self.kinesis.update_shard_count().stream_name(name).target_shard_count(target)
                .scaling_type(ScalingType::UniformScaling).send().await.unwrap();
            self.wait(name).await;
        }
        is_done.store(true, Ordering::Relaxed);
        let sent = load.await.unwrap();
        assert_eq!(self.read_lineage(name).await, sent, "each record once, in its key's order");
        self.kinesis.delete_stream().stream_name(name).send().await.unwrap();
    }

    async fn settings(&self) {
        let kinesis = &self.kinesis;
        kinesis.add_tags_to_stream().stream_name(STREAM).tags("env", "test").send().await.unwrap();
        kinesis.remove_tags_from_stream().stream_name(STREAM).tag_keys("made").send().await.unwrap();
        assert_eq!(kinesis.list_tags_for_stream().stream_name(STREAM).send().await.unwrap().tags().len(), 1);
        kinesis.increase_stream_retention_period().stream_name(STREAM).retention_period_hours(48).send().await.unwrap();
        kinesis.enable_enhanced_monitoring().stream_name(STREAM).shard_level_metrics(MetricsName::All).send().await.unwrap();
        let (kind, key) = (EncryptionType::Kms, "alias/aws/kinesis");
        kinesis.start_stream_encryption().stream_name(STREAM).encryption_type(kind.clone()).key_id(key).send().await.unwrap();
        self.wait(STREAM).await;
        let sealed = kinesis.put_record().stream_name(STREAM).data(Blob::new("x")).partition_key("k").send().await.unwrap();
        assert_eq!(sealed.encryption_type, Some(kind.clone()));
        kinesis.stop_stream_encryption().stream_name(STREAM).encryption_type(kind).key_id(key).send().await.unwrap();
        self.wait(STREAM).await;
        let mode = StreamModeDetails::builder().stream_mode(StreamMode::OnDemand).build().unwrap();
        kinesis.update_stream_mode().stream_arn(ARN).stream_mode_details(mode.clone()).send().await.unwrap();
        self.wait(STREAM).await;
        assert_eq!(self.summary().await.stream_mode_details, Some(mode));
    }
}

fn entry(text: i32, key: &str, hash: Option<&str>) -> PutRecordsRequestEntry {
    PutRecordsRequestEntry::builder().data(Blob::new(text.to_string())).partition_key(key)
        .set_explicit_hash_key(hash.map(String::from)).build().unwrap()
}

#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).expect("URL");
    let config = aws_sdk_kinesis::Config::builder().behavior_version(BehaviorVersion::latest()).endpoint_url(url)
        .region(Region::new("eu-west-1")).credentials_provider(Credentials::new("tidemill", "tidemill", None, None, "test"))
        .retry_config(aws_sdk_kinesis::config::retry::RetryConfig::disabled()).interceptor(Facts).build();
    let life = Life { kinesis: Client::from_conf(config) };
    life.create().await;
    life.put_and_read().await;
    life.reshard_under_load().await;
    life.fan_out().await;
    life.settings().await;
    life.kinesis.delete_stream().stream_name(STREAM).send().await.unwrap();
    refused(life.kinesis.describe_stream_summary().stream_name(STREAM).send().await, "ResourceNotFoundException", "not found.");
    println!("Rust SDK: the life of a stream passed");
}
