//! How an observable travels: a kind and its bare payload. Decoding refuses whatever is not in its normal form.
//!
//! The order of the variants is the wire; new kinds go to the end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{
    NotObservable, Observable,
    address::{Address, network4, network6},
    domain::Domain,
    file_digest::FileDigest,
};

#[derive(Serialize, Deserialize)]
#[serde(rename = "Observable", rename_all = "lowercase")]
enum Form<T> {
    Domain(T),
    Url(T),
    Address4(Ipv4Addr),
    Address6(Ipv6Addr),
    Network4(Ipv4Addr, u8),
    Network6(Ipv6Addr, u8),
    Email(T),
    Md5([u8; 16]),
    Sha1([u8; 20]),
    Sha256([u8; 32]),
    Sha512([u8; 32], [u8; 32]),
    Asn(u32),
}

impl Serialize for Observable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        form(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Observable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        normal(Form::deserialize(deserializer)?).ok_or_else(|| D::Error::custom(NotObservable::Abnormal))
    }
}

fn form(observable: &Observable) -> Form<&str> {
    match observable {
        Observable::Domain(domain) => Form::Domain(domain.as_str()),
        Observable::Url(url) => Form::Url(url.as_str()),
        Observable::Ip(address) => match address.ip() {
            IpAddr::V4(four) => Form::Address4(four),
            IpAddr::V6(six) => Form::Address6(six),
        },
        Observable::Network(network) => match network.net() {
            IpNet::V4(four) => Form::Network4(four.addr(), four.prefix_len()),
            IpNet::V6(six) => Form::Network6(six.addr(), six.prefix_len()),
        },
        Observable::Email(email) => Form::Email(email.as_str()),
        Observable::FileDigest(digest) => digest_form(digest.as_bytes()),
        Observable::Asn(number) => Form::Asn(*number),
    }
}

fn digest_form<'a>(bytes: &[u8]) -> Form<&'a str> {
    let half = |part: &[u8]| part.try_into().expect("a half of 64 bytes");
    match bytes.len() {
        16 => Form::Md5(bytes.try_into().expect("16 bytes")),
        20 => Form::Sha1(bytes.try_into().expect("20 bytes")),
        32 => Form::Sha256(bytes.try_into().expect("32 bytes")),
        _ => Form::Sha512(half(&bytes[..32]), half(&bytes[32..])),
    }
}

fn normal(form: Form<String>) -> Option<Observable> {
    let digest = |bytes: &[u8]| FileDigest::from_bytes(bytes).map(Observable::FileDigest);
    match form {
        Form::Domain(text) => Domain::from_normal(text).map(Observable::Domain),
        Form::Url(text) | Form::Email(text) => {
            let read = Observable::parse(&text).ok()?;
            (matches!(read, Observable::Url(_) | Observable::Email(_)) && read.is_written(&text)).then_some(read)
        }
        Form::Address4(four) => Some(Observable::Ip(Address::new(four.into()))),
        Form::Address6(six) => six
            .to_ipv4_mapped()
            .is_none()
            .then(|| Observable::Ip(Address::new(six.into()))),
        Form::Network4(four, prefix) => network4(four, prefix).map(Observable::Network),
        Form::Network6(six, prefix) => network6(six, prefix).map(Observable::Network),
        Form::Md5(bytes) => digest(&bytes),
        Form::Sha1(bytes) => digest(&bytes),
        Form::Sha256(bytes) => digest(&bytes),
        Form::Sha512(first, second) => digest(&[first, second].concat()),
        Form::Asn(number) => Some(Observable::Asn(number)),
    }
}
