#!/bin/sh
exec ./tcplab merge shard*/ --out results --quiet
