package dev.chikaku.android

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.util.Base64
import dev.chikaku.RootKeyStore
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.SecureRandom
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/**
 * Thirty-two bytes that seal the encounter log, wrapped by a key that never leaves the Keystore.
 *
 * The wrapped bytes lie in preferences that the manifest excludes from backups. After a restore on
 * another phone, or if the Keystore has lost its key, there is no root key, and the user is told so.
 */
public class KeystoreRootKey(context: Context, private val alias: String = "dev.chikaku.root") : RootKeyStore {
    private val preferences = context.getSharedPreferences(alias, Context.MODE_PRIVATE)

    override var installMarker: ByteArray?
        get() = preferences.getString(MARKER, null)?.let { Base64.decode(it, Base64.NO_WRAP) }
        set(marker) {
            val text = marker?.let { Base64.encodeToString(it, Base64.NO_WRAP) }
            preferences.edit().putString(MARKER, text).commit()
        }

    /** Without it the log can never be read again. */
    @Synchronized
    override fun delete() {
        preferences.edit().clear().commit()
        keyStore().deleteEntry(alias)
    }

    /** The root key; the caller overwrites it with zeros when the log is open. */
    @Synchronized
    override fun read(): ByteArray? {
        val wrapped = preferences.getString(WRAPPED, null)?.let { Base64.decode(it, Base64.NO_WRAP) } ?: return null
        if (wrapped.size <= NONCE_BYTES) return null
        val key = keyStore().getKey(alias, null) as? SecretKey ?: return null
        return try {
            val cipher = Cipher.getInstance(CIPHER)
            cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, wrapped, 0, NONCE_BYTES))
            cipher.doFinal(wrapped, NONCE_BYTES, wrapped.size - NONCE_BYTES)
        } catch (_: GeneralSecurityException) {
            null
        }
    }

    @Synchronized
    override fun create(): ByteArray {
        delete()
        val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER)
        generator.init(
            KeyGenParameterSpec.Builder(alias, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
                .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                .setKeySize(256)
                .build(),
        )
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.ENCRYPT_MODE, generator.generateKey())
        val root = ByteArray(ROOT_BYTES).also(SecureRandom()::nextBytes)
        val wrapped = cipher.iv + cipher.doFinal(root)
        preferences.edit().putString(WRAPPED, Base64.encodeToString(wrapped, Base64.NO_WRAP)).commit()
        return root
    }

    private fun keyStore(): KeyStore = KeyStore.getInstance(PROVIDER).apply { load(null) }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
        const val CIPHER = "AES/GCM/NoPadding"
        const val WRAPPED = "wrapped"
        const val MARKER = "marker"
        const val ROOT_BYTES = 32
        const val NONCE_BYTES = 12
        const val TAG_BITS = 128
    }
}
