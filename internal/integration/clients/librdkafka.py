"""librdkafka against one broker: idempotent and transactional producing, a group of consumers, the administration.

usage: librdkafka.py BOOTSTRAP TOPIC; prints one JSON object.
"""
import json
import sys

from confluent_kafka import Consumer, Producer, TopicPartition, libversion
from confluent_kafka.admin import AdminClient, NewTopic

bootstrap, topic = sys.argv[1:]
admin = AdminClient({"bootstrap.servers": bootstrap})
for future in admin.create_topics([NewTopic(topic, num_partitions=3, replication_factor=1, config={"retention.ms": "-1"})]).values():
    future.result(30)

failed = []


def produce(config, values):
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, **config})
    if "transactional.id" in config:
        producer.init_transactions(30)
        producer.begin_transaction()
    for value in values:
        producer.produce(topic, key=value, value=value, on_delivery=lambda err, _: failed.append(str(err)) if err else None)
    producer.flush(30)
    return producer


produce({"enable.idempotence": True, "compression.type": "zstd"}, [f"plain {i}" for i in range(1000)])
produce({"transactional.id": "lib"}, [f"committed {i}" for i in range(100)]).commit_transaction(30)
produce({"transactional.id": "lib"}, [f"aborted {i}" for i in range(100)]).abort_transaction(30)


def read(group, wanted):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest", "isolation.level": "read_committed", "enable.auto.commit": False,
                         "partition.assignment.strategy": "cooperative-sticky", "enable.partition.eof": True})
    consumer.subscribe([topic])
    values, ended = [], set()
    while len(ended) < 3:
        message = consumer.poll(30)
        if message is None:
            raise SystemExit("nothing for 30 s")
        if message.error():
            ended.add(message.partition())
        else:
            values.append(message.value().decode())
    if values:
        consumer.commit(asynchronous=False)
    at = sum(max(0, o.offset) for o in consumer.committed([TopicPartition(topic, p) for p in range(3)], 30))
    consumer.close()
    return values, at


first, at = read("readers", 1100)
again, _ = read("readers", 0)
print(json.dumps({"version": libversion()[0], "failed": failed, "values": sorted(first), "committed": at, "again": len(again)}))
