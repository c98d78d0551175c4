//! A library's exported interface as sorted lines, one for each thing an app can name.

use std::io::Write;

use anyhow::Context;
use camino::Utf8Path;
use uniffi_bindgen::macro_metadata::extract_from_library;
use uniffi_meta::{
    DefaultValueMetadata, EnumShape, FieldMetadata, FnParamMetadata, Metadata, Type,
};

pub(crate) fn print(library: &str, out: &mut impl Write) -> anyhow::Result<()> {
    let items = extract_from_library(Utf8Path::new(library))
        .with_context(|| format!("{library} cannot be read"))?;
    let mut lines: Vec<_> = items.iter().flat_map(lines).collect();
    anyhow::ensure!(!lines.is_empty(), "{library}: no UniFFI interface in it; was it stripped?");
    lines.sort();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn lines(item: &Metadata) -> Vec<String> {
    match item {
        Metadata::Func(it) => vec![format!(
            "fn {}{}",
            it.name,
            signature(&it.inputs, it.return_type.as_ref(), it.throws.as_ref())
        )],
        Metadata::Object(it) => vec![format!("object {}", it.name)],
        Metadata::Constructor(it) => vec![format!(
            "object {} constructor {}{}",
            it.self_name,
            it.name,
            signature(&it.inputs, None, it.throws.as_ref())
        )],
        Metadata::Method(it) => vec![format!(
            "object {}.{}{}",
            it.self_name,
            it.name,
            signature(&it.inputs, it.return_type.as_ref(), it.throws.as_ref())
        )],
        // The order of fields is part of the interface: it is the order of the constructor.
        Metadata::Record(it) => vec![format!("record {} {{ {} }}", it.name, fields(&it.fields))],
        Metadata::Enum(it) => {
            let kind = match it.shape {
                EnumShape::Enum => "enum",
                EnumShape::Error { .. } => "error",
            };
            let variants = it.variants.iter().enumerate().map(|(number, variant)| {
                let fields = fields(&variant.fields);
                let fields =
                    if fields.is_empty() { String::new() } else { format!(" {{ {fields} }}") };
                format!("{kind} {} {number:02} {}{fields}", it.name, variant.name)
            });
            variants.collect()
        }
        Metadata::Namespace(_) => Vec::new(),
        // Nothing else is exported; if it ever is, the snapshot shows it.
        other => vec![format!("{other:?}")],
    }
}

fn signature(inputs: &[FnParamMetadata], returned: Option<&Type>, throws: Option<&Type>) -> String {
    let inputs: Vec<_> =
        inputs.iter().map(|input| format!("{}: {}", input.name, name(&input.ty))).collect();
    let returned = returned.map(|ty| format!(" -> {}", name(ty))).unwrap_or_default();
    let throws = throws.map(|ty| format!(" throws {}", name(ty))).unwrap_or_default();
    format!("({}){returned}{throws}", inputs.join(", "))
}

fn fields(fields: &[FieldMetadata]) -> String {
    let fields = fields.iter().map(|field| {
        let default = match &field.default {
            None => String::new(),
            Some(DefaultValueMetadata::Default) => " = default".to_owned(),
            Some(DefaultValueMetadata::Literal(literal)) => format!(" = {literal:?}"),
        };
        format!("{}: {}{default}", field.name, name(&field.ty))
    });
    fields.collect::<Vec<_>>().join(", ")
}

fn name(ty: &Type) -> String {
    match ty {
        Type::Optional { inner_type } => format!("{}?", name(inner_type)),
        Type::Sequence { inner_type } => format!("[{}]", name(inner_type)),
        Type::Object { name, .. } | Type::Record { name, .. } | Type::Enum { name, .. } => {
            name.clone()
        }
        other => format!("{other:?}"),
    }
}
