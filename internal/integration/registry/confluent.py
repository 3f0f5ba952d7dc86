"""Writes and reads records with Confluent's own serializers for Python, as a witness for ours.

    confluent.py write URL    prints lines of FORMAT HEX
    confluent.py read URL     reads such lines, prints FORMAT JSON
"""
import json
import sys

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

AVRO = """{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},
 {"name":"note","type":["null","string"],"default":null},{"name":"state","type":{"type":"enum","name":"State","symbols":["NEW","DONE"]}},
 {"name":"price","type":"double"},{"name":"lines","type":{"type":"array","items":"string"}},{"name":"tags","type":{"type":"map","values":"int"}}]}"""
AVRO = json.dumps(json.loads(AVRO), separators=(",", ":"))  # as the JVM writes it: this registry compares texts
JSON_SCHEMA = """{"$schema":"http://json-schema.org/draft-07/schema#","title":"Order","type":"object","properties":{"id":{"type":"integer"},"note":{"type":"string"}}}"""
VALUE = {"id": 7, "note": "hé", "state": "DONE", "price": 2.5, "lines": ["a", "b"], "tags": {"x": -1}}


def order_type():
    f = descriptor_pb2.FileDescriptorProto(name="shop.proto", package="shop", syntax="proto3")
    F = descriptor_pb2.FieldDescriptorProto
    f.message_type.add(name="First")
    m = f.message_type.add(name="Outer").nested_type.add(name="Order")
    for number, (name, kind, label) in enumerate([("id", F.TYPE_INT64, F.LABEL_OPTIONAL), ("note", F.TYPE_STRING, F.LABEL_OPTIONAL),
                                                  ("price", F.TYPE_DOUBLE, F.LABEL_OPTIONAL), ("lines", F.TYPE_STRING, F.LABEL_REPEATED)], 1):
        m.field.add(name=name, number=number, type=kind, label=label)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(f)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Outer.Order"))


def main(mode, url, formats):
    client = SchemaRegistryClient({"url": url})
    kind = order_type()
    message = kind(id=7, note="hé", price=2.5, lines=["a", "b"])
    small = {k: VALUE[k] for k in ("id", "note")}

    def context(name):
        return SerializationContext("python-" + name, MessageField.VALUE)

    if mode == "write":
        writers = {"avro": lambda c: AvroSerializer(client, AVRO)(VALUE, c), "json": lambda c: JSONSerializer(JSON_SCHEMA, client)(small, c),
                   "protobuf": lambda c: ProtobufSerializer(kind, client, {"use.deprecated.format": False})(message, c)}
        for name in formats:
            print(name, writers[name](context(name)).hex())
        return
    readers = {"avro": lambda b, c: AvroDeserializer(client)(b, c), "json": lambda b, c: JSONDeserializer(JSON_SCHEMA)(b, c),
               "protobuf": lambda b, c: json_format.MessageToDict(ProtobufDeserializer(kind, {"use.deprecated.format": False})(b, c))}
    for line in sys.stdin:
        name, text = line.split()
        print(name, json.dumps(readers[name](bytes.fromhex(text), context(name)), sort_keys=True, ensure_ascii=False))


main(sys.argv[1], sys.argv[2], sys.argv[3:])
